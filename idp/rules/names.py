"""Names of persons and units: which characters they may hold, and the one spelling that is stored and compared."""

import re
import unicodedata

from idp.errors import DomainError
from idp.rules.typed import has_blank, trim

# CJK unified and compatibility ideographs, 〇, and all of planes 2 and 3, which Unicode keeps for ideographs: a rare
# character of a later extension must not shut its bearer out until Python learns of it.
_IDEOGRAPHS = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"

# Full-width digits and letters, and Kangxi radicals, which look like the ideographs when copied out of a PDF.
_LOOKALIKES = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2f00-\u2fd5]")
_DOTS = re.compile("[\u2022\u2027\u2219\u22c5\u30fb\uff65]")  # what input methods type in place of ·

_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
_LETTER = re.compile(f"[{_IDEOGRAPHS}{_LATIN}]")
_CHINESE_NAME = re.compile(f"[{_IDEOGRAPHS}]+(?:·[{_IDEOGRAPHS}]+)*")
_LATIN_NAME = re.compile(rf"[{_LATIN}]+\.?(?:(?:, |[ '·-])[{_LATIN}]+\.?)*")
_UNIT_NAME = re.compile(f"[{_IDEOGRAPHS}{_LATIN}0-9 （）《》“”‘’、，：·—&+.,'\"/-]+")
_SPACE_AT_IDEOGRAPH = re.compile(f"(?<=[{_IDEOGRAPHS}]) | (?=[{_IDEOGRAPHS}])")

_PERSON_LENGTH = range(2, 51)
_UNIT_LENGTH = range(2, 101)


class PersonNameRefused(DomainError):
    """Base of all refusals of a person's name; its field is `full_name`."""

    code = "person_name_refused"

    def __init__(self) -> None:
        super().__init__("full_name")


class PersonNameLength(PersonNameRefused):
    """Not 2–50 characters."""

    code = "person_name_length"


class PersonNameHasSpaces(PersonNameRefused):
    """A blank stands inside a Chinese name."""

    code = "person_name_has_spaces"


class PersonNameCharacters(PersonNameRefused):
    """Neither a Chinese name nor one in Latin letters: digits, mixed scripts, signs, invisible characters."""

    code = "person_name_characters"


class UnitNameRefused(DomainError):
    """Base of all refusals of a unit's name; its field is `unit_name`."""

    code = "unit_name_refused"

    def __init__(self) -> None:
        super().__init__("unit_name")


class UnitNameLength(UnitNameRefused):
    """Not 2–100 characters."""

    code = "unit_name_length"


class UnitNameHasSpaces(UnitNameRefused):
    """A blank stands inside the Chinese name of a unit."""

    code = "unit_name_has_spaces"


class UnitNameCharacters(UnitNameRefused):
    """A character that no licence prints in a name, or no letter at all."""

    code = "unit_name_characters"


def check_person_name(name: str) -> str:
    """Return a person's full name in its one spelling; raise a `PersonNameRefused`.

    2–50 characters: ideographs, with · between the parts of a name such as 买买提·吐尔逊, or Latin letters as in a
    passport. Outer blanks go, dots that only look like · become it, runs of spaces in a Latin name become one.
    """
    text = _DOTS.sub("·", _fold(trim(name)))
    if _IDEOGRAPH.search(text):
        if has_blank(text):
            raise PersonNameHasSpaces
        form = _CHINESE_NAME
    else:
        text = _one_space(text).replace("’", "'")
        form = _LATIN_NAME
    if len(text) not in _PERSON_LENGTH:
        raise PersonNameLength
    if not form.fullmatch(text):
        raise PersonNameCharacters
    return text


def check_unit_name(name: str) -> str:
    """Return the full name of a unit as its licence has it, in one spelling; raise a `UnitNameRefused` (U1).

    2–100 characters. Brackets become full-width （）, as licences print them, so that the same name typed with ()
    is the same name. Spaces may part Latin words; next to an ideograph they are a slip.
    """
    text = _one_space(_DOTS.sub("·", _fold(trim(name)))).replace("(", "（").replace(")", "）")
    if len(text) not in _UNIT_LENGTH:
        raise UnitNameLength
    if _SPACE_AT_IDEOGRAPH.search(text):
        raise UnitNameHasSpaces
    if not (_UNIT_NAME.fullmatch(text) and _LETTER.search(text)):
        raise UnitNameCharacters
    return text


def _fold(text: str) -> str:
    """Return `text` in Unicode's composed form (NFC), look-alikes replaced by the plain character."""
    plain = _LOOKALIKES.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return unicodedata.normalize("NFC", plain)


def _one_space(text: str) -> str:
    """Return `text` with every run of blanks as one plain space."""
    return " ".join(text.split())
