r"""A file of variables, `.env`, as Visual Studio Code reads it: text in, variables out.

One variable per line, `NAME=value`; a line that is none (a comment, `export NAME=value`, a name that is none) means nothing. Blanks
around the value go, and so do quotes that enclose the whole of it, where `\n` then stands for a line break; a value never goes on
in the next line. `${env:NAME}` is the value of an earlier line, else of the environment, else nothing; `\$` is a dollar sign. All
else stays as it is: `$NAME`, `${NAME}`, `%NAME%`, and whatever is nested.

Source: "Environment variable definitions file" in "Using Python environments in VS Code" (code.visualstudio.com); the extension's
parser, `client/common/variables/environment.ts`, for blanks, names and quotes.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Final

LIMIT: Final = 1024 * 1024  # bytes; a larger file holds something else
_NAME: Final = re.compile(r"_*[A-Za-z][A-Za-z0-9_]*")
_LONGEST: Final = 4096  # characters in which an expression that is not understood must end
_PART: Final = re.compile(r"\\\$|\$\{env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


def load(text: str, environ: Mapping[str, str], *, literal: Callable[[str], str] = str) -> dict[str, str]:
    """Return the variables of a file in its order; a later line replaces an earlier one of the same name.

    Args:
        text: the content of the file.
        environ: what `${env:NAME}` is taken from where no earlier line has set it.
        literal: is given each part of a value that the file itself says, so that the result can be in a language that needs its
            own escapes; what comes from `environ` is in that language already.
    """
    found: dict[str, str] = {}
    known = ChainMap(found, dict(environ))
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and _NAME.fullmatch(name := name.strip()):
            found[name] = _substituted(_unquoted(value.strip()), known, literal)
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1].replace("\\n", "\n")
    return value


def _substituted(value: str, known: Mapping[str, str], literal: Callable[[str], str]) -> str:
    """Return a value with its variables put in, in one pass: what a variable holds is not looked at again."""
    parts: list[str] = []
    done = 0
    for match in _PART.finditer(value):
        if match.start() < done:
            continue
        parts.append(literal(value[done : match.start()]))
        done = match.end()
        if match[0] == "\\$":
            parts.append(literal("$"))
        elif match["name"]:
            parts.append(known.get(match["name"], ""))
        else:
            done = _end_of_unsupported(value, match.start())
            parts.append(literal(value[match.start() : done]))
    return "".join([*parts, literal(value[done:])])


def _end_of_unsupported(value: str, start: int) -> int:
    """Return where an expression in braces that is not understood ends, with all that is nested in it; its start where it has no end."""
    depth = 0
    for index in range(start, min(len(value), start + _LONGEST)):
        depth += {"{": 1, "}": -1}.get(value[index], 0)
        if depth == 0 and value[index] == "}":
            return index + 1
    return start + 2
