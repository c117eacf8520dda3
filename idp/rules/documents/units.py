"""Numbers of units: the unified social credit code and the older organisation code (U3)."""

import re

from idp.rules.documents import errors
from idp.rules.documents.check_digits import USCC_ALPHABET, gb_11714, gb_32100
from idp.rules.documents.kinds import UnitDocument
from idp.rules.typed import has_blank, has_full_width

# The first character is the registering authority: 1–9 as of 2015, A (military), N (agriculture) and Y (others)
# since. Fixing it also keeps out eighteen zeros, whose check characters are all right. The class behind it grows
# with the authorities, so any character of the alphabet passes; the district is digits.
_USCC = re.compile(rf"[1-9ANY][{USCC_ALPHABET}][0-9]{{6}}[{USCC_ALPHABET}]{{10}}")
_ORG_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")


def check_unit_document(kind: UnitDocument, number: str) -> str:
    """Return the canonical form of a unit's number: upper case, an organisation code without its hyphen.

    Letters may be typed small. Blanks, also at the ends, and full-width characters are refused and not mended,
    because the form must say so (U3). Raises a `DocumentRefused` whose code begins with `kind`.
    """
    if kind is UnitDocument.USCC:
        return _check_uscc(number)
    return _check_org_code(number)


def _check_uscc(number: str) -> str:
    if has_blank(number):
        raise errors.UsccHasSpaces
    if has_full_width(number):
        raise errors.UsccFullWidth
    if len(number) != 18:  # noqa: PLR2004 - GB 32100
        raise errors.UsccLength(length=len(number))
    code = number.upper()
    if not (number.isascii() and _USCC.fullmatch(code)):  # upper() would turn ſ into S
        raise errors.UsccCharacters
    # Characters 9–17 are the organisation code with a check character of its own, so two slips that cancel out
    # in one sum hardly do in both.
    if code[17] != gb_32100(code[:17]) or code[16] != gb_11714(code[8:16]):
        raise errors.UsccCheckDigit
    return code


def _check_org_code(number: str) -> str:
    if has_blank(number):
        raise errors.OrgCodeHasSpaces
    if has_full_width(number):
        raise errors.OrgCodeFullWidth
    code = _without_hyphen(number).upper()
    if len(code) != 9:  # noqa: PLR2004 - GB 11714
        raise errors.OrgCodeLength(length=len(code))
    if not (number.isascii() and _ORG_CODE.fullmatch(code)):
        raise errors.OrgCodeCharacters
    if code[8] != gb_11714(code[:8]):
        raise errors.OrgCodeCheckDigit
    return code


def _without_hyphen(number: str) -> str:
    """Drop the hyphen that certificates print at the ninth place (组织机构代码第九位“-”请省略)."""
    return number[:8] + number[9:] if number[8:9] == "-" else number
