"""Slips of the hand and of the input method, found before a number is looked at."""

import unicodedata

_FULL_WIDTH_FIRST, _FULL_WIDTH_LAST = "\uff01", "\uff5e"


def has_blank(text: str) -> bool:
    """Tell whether `text` holds a space of any kind, a tab, a line break or an invisible format character.

    Invisible ones (zero-width, byte-order mark) come along when a number is copied from a web page. For the
    person who typed it they are spaces that cannot be seen, so they are refused as such.
    """
    return any(char.isspace() or unicodedata.category(char) == "Cf" for char in text)


def trim(text: str) -> str:
    """Return `text` without the blanks (see `has_blank`) at its two ends."""
    visible = [index for index, char in enumerate(text) if not has_blank(char)]
    return text[visible[0] : visible[-1] + 1] if visible else ""


def has_full_width(text: str) -> bool:
    """Tell whether `text` holds a full-width form (９, Ａ, －) that a Chinese input method types for an ASCII one."""
    return any(_FULL_WIDTH_FIRST <= char <= _FULL_WIDTH_LAST for char in text)
