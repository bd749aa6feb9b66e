"""Title, columns and rows to text and to HTML. It knows no value: whoever has one gives its cells as text.

The HTML is for notebooks: no script, no style sheet, nothing from elsewhere, every text escaped. It suits light and dark themes
without knowing which one is on, for it has no colour of its own for text or ground: text has the colour of what is around it,
lines are a translucent grey, and what is coloured (a state, a bar) is a translucent tint with a border, under text that inherits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal, TypeAlias

Look: TypeAlias = Literal["plain", "strong", "quiet", "code", "good", "warning", "error", "tag"]

# Jupyter's own fonts where they are known; elsewhere the system's.
_FONT: Final = "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.5;text-align:left"
_CODE: Final = "font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);font-size:12px"
_LINE: Final = "1px solid rgba(128,128,128,.3)"
_FRAME: Final = (
    f"{_FONT};display:inline-block;box-sizing:border-box;max-width:100%;overflow-x:auto;margin:4px 0;padding:10px 16px;border:{_LINE};"
    "border-radius:8px"
)
_TITLE: Final = "font-size:14px;font-weight:600;margin:0"
_TABLE: Final = f"{_FONT};border-collapse:collapse;border:none;table-layout:auto"
_CELL: Final = "text-align:left;vertical-align:baseline;padding:3px 24px 3px 0;border:none;max-width:none"
_RULED: Final = f"{_CELL};border-bottom:{_LINE}"
_HEAD: Final = f"{_RULED};font-weight:600;font-size:12px;opacity:.7;white-space:nowrap"
_LABEL: Final = f"{_CELL};opacity:.7;white-space:nowrap"
_PRE: Final = f"{_CODE};margin:6px 0 0;padding:6px 10px;max-height:320px;overflow:auto;background:rgba(128,128,128,.1);border-radius:4px"
_TINTS: Final = {"good": "46,160,67", "warning": "210,140,0", "error": "218,54,51", "tag": "128,128,128"}
_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LOOKS: Final = {"plain": "", "strong": "font-weight:600", "quiet": "opacity:.7", "code": f"{_CODE};overflow-wrap:anywhere"}
_SHORT: Final = (
    34  # characters; what is no longer than this is not broken into lines, so that long paths are, and not the names beside them
)


def escape(text: str) -> str:
    """Return a text as HTML shows it."""
    import html  # noqa: PLC0415 - for notebooks alone

    return html.escape(text)


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of text and how it looks: plain, strong, quiet, code, or as a small tinted plate (good, warning, error, tag)."""

    text: str
    look: Look = "plain"

    def html(self) -> str:
        """Return it as an element; all text is escaped."""
        text = escape(printable(self.text))
        if self.look == "code":
            text = text.replace("/", "/<wbr>")  # a long path breaks between its parts
        return f'<span style="{self._style()}">{text}</span>'

    def _style(self) -> str:
        tint = _TINTS.get(self.look)
        if tint is None:
            return _LOOKS[self.look]
        return (
            "display:inline-block;vertical-align:1px;padding:0 8px;border-radius:10px;font-size:11px;font-weight:600;line-height:18px;"
            f"white-space:nowrap;background:rgba({tint},.18);border:1px solid rgba({tint},.55)"
        )


Piece: TypeAlias = str | Words
Cell: TypeAlias = Piece | tuple[Piece, ...]
"""What stands in a cell; several pieces stand below each other in HTML and beside each other in text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table for people. Every cell is text and is escaped; `columns` whose names are all empty are not shown as a heading.

    Without a heading the first column is that of labels. `plates` stand beside the title. `folded` are longer texts, each with
    its name, to be opened in a notebook; text for terminals leaves them out. `said` are lines of output, shown as they were.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    plates: tuple[Words, ...] = ()
    note: Cell = ""
    said: str = ""
    folded: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return the table as lines of aligned columns, without trailing blanks; control characters are shown, not obeyed."""
        head = [self.columns] if any(self.columns) else []
        lines = [[printable(_plain(cell)) for cell in row] for row in (*head, *self.rows)]
        widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
        body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip() for line in lines]
        plates = f"[{', '.join(plate.text for plate in self.plates)}]" if self.plates else ""
        above = printable(" ".join(part for part in (self.title, plates) if part))
        below = printable(_plain(self.note))
        said = list(map(printable, lines_of(self.said)))
        return "\n".join([*([above] if above else []), *body, *said, *([below] if below else [])])

    def html(self) -> str:
        """Return the table as HTML without script or style sheet; all text is escaped."""
        plates = "".join(f" {plate.html()}" for plate in self.plates)
        title = f'<div style="{_TITLE}">{escape(printable(self.title))}{plates}</div>' if self.title or plates else ""
        note = f'<div style="opacity:.7;margin:6px 0 0">{_inner(self.note)}</div>' if self.note else ""
        said = block(self.said) if self.said else ""
        return framed(f"{title}{self._table()}{said}{note}" + "".join(folded(name, text) for name, text in self.folded))

    def _table(self) -> str:
        if not self.rows:
            return ""
        if not any(self.columns):
            labels = max(map(len, self.rows)) > 1
            return self._below_title(
                [
                    "".join(
                        _data(cell, _CELL if number or not labels or not isinstance(cell, str) else _LABEL)
                        for number, cell in enumerate(row)
                    )
                    for row in self.rows
                ]
            )
        head = "".join(f'<th style="{_HEAD}">{escape(printable(name))}</th>' for name in self.columns)
        last = len(self.rows) - 1
        rows = ["".join(_data(cell, _CELL if number == last else _RULED) for cell in row) for number, row in enumerate(self.rows)]
        return self._below_title([head, *rows])

    def _below_title(self, rows: list[str]) -> str:
        # the ground is said for each row: notebooks stripe tables, and a striped card looks torn
        body = "".join(f'<tr style="background:transparent">{row}</tr>' for row in rows)
        return f'<table style="{_TABLE};margin:{"8px 0 0" if self.title or self.plates else "0"}">{body}</table>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return both forms for a notebook, which takes the one that it can show."""
        return {"text/plain": self.text(), "text/html": self.html()}


def _data(cell: Cell, style: str) -> str:
    """Return a cell of a table; short ones stay in one line."""
    pieces = cell if isinstance(cell, tuple) else (cell,)
    short = all(len(piece if isinstance(piece, str) else piece.text) <= _SHORT for piece in pieces)
    return f'<td style="{style}{";white-space:nowrap" if short else ""}">{_inner(cell)}</td>'


def _plain(cell: Cell) -> str:
    """Return a cell as text in one line."""
    if isinstance(cell, tuple):
        return "; ".join(text for piece in cell if (text := _plain(piece)))
    return cell if isinstance(cell, str) else cell.text


def _inner(cell: Cell) -> str:
    """Return a cell as HTML."""
    if isinstance(cell, tuple):
        return "".join(f"<div>{_inner(piece)}</div>" for piece in cell)
    return escape(printable(cell)) if isinstance(cell, str) else cell.html()


def folded(name: str, text: str) -> str:
    """Return a text as HTML that is closed until somebody opens it by its name."""
    return f'<details style="margin:6px 0 0"><summary style="cursor:pointer;opacity:.7">{escape(printable(name))}</summary>{block(text)}</details>'


def block(text: str) -> str:
    """Return lines of text as HTML that keeps them as they are; what is long can be scrolled."""
    return f'<pre style="{_PRE}">{escape(chr(10).join(map(printable, lines_of(text))))}</pre>'


def lines_of(text: str) -> list[str]:
    """Return the lines of what a tool or a cell said, without a terminal's colours and tabs."""
    return _COLOUR.sub("", text).expandtabs().splitlines()


def bar(share: float | None, *, at: float = 0.0) -> str:
    """Return a bar as HTML: filled up to `share` (0 to 1), or, where that is not known, a piece of it that stands at `at` (0 to 1)."""
    left, width = (0.0, max(0.0, min(1.0, share))) if share is not None else (max(0.0, min(1.0, at)) * 0.75, 0.25)
    return (
        '<div style="height:4px;margin:6px 0 2px;background:rgba(128,128,128,.25);border-radius:2px;overflow:hidden">'
        f'<div style="height:4px;margin-left:{left:.1%};width:{width:.1%};background:var(--jp-brand-color1,#2f81f7);border-radius:2px">'
        "</div></div>"
    )


def framed(inner: str, *, width: str = "") -> str:
    """Return HTML in the frame that values have; `inner` is HTML of this module, `width` a CSS length."""
    return f'<div style="{_FRAME}{f";width:{width}" if width else ""}">{inner}</div>'


def printable(text: str) -> str:
    """Return `text` with control characters and undecodable bytes as escapes, so that no name can steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode() for character in text
    )
