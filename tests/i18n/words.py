"""What a person reads or hears of a page, and which of it is written in which script."""

import re
from html.parser import HTMLParser

VOID = frozenset({"br", "circle", "hr", "img", "input", "line", "link", "meta", "path", "rect"})
SILENT = frozenset({"value", "href", "src", "action", "class", "id", "content", "d"})
REGION = re.compile(r"[0-9]{6}")
"""The value of an option that is a place: their names are data."""

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
CJK_PUNCTUATION = re.compile(r"[\u3000-\u303f\ufe30-\ufe4f\uff00-\uffef]")


class Words(HTMLParser):
    """The text of a page and of its attributes, without parts that say they are in another language."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lang = ""
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang = given["lang"]
        skipped = self._skipped or self._is_foreign(tag, given)
        if not skipped:
            self.found += [value for name, value in given.items() if name not in SILENT]
        if tag not in VOID:
            self._open.append((tag, skipped))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._skipped:
            self.found.append(data.strip())

    @property
    def _skipped(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _is_foreign(self, tag: str, given: dict[str, str]) -> bool:
        """Whether an element is another language's (the language switch), a place, or the first letter of a name."""
        other = given.get("lang", self.lang) != self.lang
        place = tag == "option" and REGION.fullmatch(given.get("value", "")) is not None
        return other or place or "glyph" in given.get("class", "").split()


def without(words: list[str], data: re.Pattern[str]) -> list[str]:
    """Return the words with names and other data taken out."""
    return [data.sub("", word) for word in words]


def chinese_in(words: list[str]) -> list[str]:
    """Return what holds Chinese characters or Chinese punctuation."""
    return [word for word in words if HAN.search(word) or CJK_PUNCTUATION.search(word)]


def simplified_in(text: str) -> list[str]:
    """Return the characters that traditional Chinese does not write: those that Big5 lacks."""
    return [char for char in HAN.findall(text) if not _in_big5(char)]


def _in_big5(char: str) -> bool:
    try:
        char.encode("big5")
    except UnicodeEncodeError:
        return False
    return True
