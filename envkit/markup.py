"""Title, columns and rows to text and to HTML. It knows no value: whoever has one gives its cells as text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import zip_longest

# Jupyter's own variables, with fallbacks that read well on white and on black, so no script and no theme is needed.
_STYLE = "font-family:var(--jp-ui-font-family,sans-serif);color:var(--jp-ui-font-color1,inherit);border-collapse:collapse"
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35))"
_HEAD = _CELL + ";font-weight:600;color:var(--jp-ui-font-color2,inherit)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table for people. Every cell is text and is escaped; `columns` whose names are all empty are not shown as a heading."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    def text(self) -> str:
        """Return the table as lines of aligned columns, without trailing blanks; control characters are shown, not obeyed."""
        head = [self.columns] if any(self.columns) else []
        lines = [[printable(cell) for cell in row] for row in (*head, *self.rows)]
        widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
        body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip() for line in lines]
        return "\n".join([printable(self.title), *body] if self.title else body)

    def html(self) -> str:
        """Return the table as HTML without script or style sheet; all text is escaped."""
        title = f'<caption style="text-align:left;font-weight:600;padding:4px 0">{escape(printable(self.title))}</caption>' if self.title else ""
        head = "".join(f'<th style="{_HEAD}">{escape(printable(name))}</th>' for name in self.columns) if any(self.columns) else ""
        body = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{escape(printable(cell))}</td>' for cell in row) + "</tr>" for row in self.rows
        )
        return f'<table style="{_STYLE}">{title}{f"<tr>{head}</tr>" if head else ""}{body}</table>'


def printable(text: str) -> str:
    """Return `text` with control characters and undecodable bytes as escapes, so that no name can steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode() for character in text
    )
