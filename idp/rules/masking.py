"""What is shown of personal data where the whole is not needed: pages, logs, SMS (DESIGN 8)."""

import re

from idp.rules.phones import COUNTRY_CODES, national_digits

_STAR = "*"
_LATIN = re.compile(r"[^\W\d_]", re.ASCII)
_LONG_NUMBER = 15  # from here on seven characters give little away
_MOBILE = 11


def mask_name(name: str) -> str:
    """Return a person's name with all but its last ideograph hidden: 张三 → *三, 欧阳明日 → ***日.

    The family name is what makes a person easy to find, and the last character is enough for the person to know
    oneself again. The · of a longer name stays: 买买提·吐尔逊 → ***·**逊. Of a Latin name each word keeps its first
    letter: John Smith → J*** S****. A name of one character is hidden whole.
    """
    if _LATIN.search(name):
        return re.sub(r"(?<=\w)\w", _STAR, name)
    return re.sub(r"[^·]", _STAR, name[:-1]) + (name[-1:] if len(name) > 1 else _STAR * len(name))


def mask_document(number: str) -> str:
    """Return a document number as 440***********0014; of a short one (permit, passport) the ends: H******78."""
    if len(number) >= _LONG_NUMBER:
        return _keep(number, 3, 4)
    return _keep(number, 1, 2)


def mask_uscc(code: str) -> str:
    """Return a unified social credit code in groups, for a list of units to choose from: 9144 0101 **** ***156."""
    masked = _keep(code, 8, 3)
    return " ".join((masked[:4], masked[4:8], masked[8:12], masked[12:]))


def mask_phone(phone: str) -> str:
    """Return an E.164 number as 138****8000; one from elsewhere with its country code: +852 51****67."""
    digits = national_digits(phone)
    if phone.startswith(COUNTRY_CODES[0]) and len(digits) == _MOBILE:
        return _keep(digits, 3, 4)
    country_code = phone.removesuffix(digits)
    return f"{country_code} {_keep(digits, 2, 2)}".strip()


def _keep(text: str, head: int, tail: int) -> str:
    """Return `text` with stars between its first `head` and last `tail` characters; all stars if that hid nothing."""
    if len(text) <= head + tail:
        return _STAR * len(text)
    return text[:head] + _STAR * (len(text) - head - tail) + text[-tail:]
