"""How a value shows itself in a notebook: `_repr_mimebundle_ = shown` in its class, and the views are imported when one is shown."""

from __future__ import annotations


def shown(value: object, include: object = None, exclude: object = None) -> dict[str, str]:
    """Return a value as text and as HTML; a notebook takes the form that it can show."""
    from .views import view  # noqa: PLC0415 - looking at the machine shows nothing

    table = view(value)
    return {"text/plain": table.text(), "text/html": table.html()}
