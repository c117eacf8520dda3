"""What a password must be (P3). All broken points are told at once, so that a page can list them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from idp.errors import DomainError
from idp.rules.phones import national_digits

_KINDS_IN_ALL = 4  # upper case, lower case, digit, and everything else
_KINDS_WHEN_RELAXED = 3

# Keys side by side, row by row, and the order of letters and digits. Columns (1qaz) and diagonals have four keys at
# most, so they hold no run that is too long.
_LINES = ("`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "abcdefghijklmnopqrstuvwxyz", "0123456789")
_UNSHIFTED = str.maketrans('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The setting behind P3. Relaxed, any three of the four kinds of character will do."""

    min_length: int = 8
    max_length: int = 30
    any_three_kinds: bool = False
    longest_run: int = 4


class PasswordPoint(StrEnum):
    """A point that a password breaks. The values are stable: messages hang on them."""

    TOO_SHORT = "password_too_short"
    TOO_LONG = "password_too_long"
    NO_UPPER = "password_no_upper"
    NO_LOWER = "password_no_lower"
    NO_DIGIT = "password_no_digit"
    TOO_FEW_KINDS = "password_too_few_kinds"
    CONTROL_CHARACTERS = "password_control_characters"
    RUN = "password_run"
    HAS_LOGIN_NAME = "password_has_login_name"
    HAS_PHONE = "password_has_phone"
    HAS_DOCUMENT_NUMBER = "password_has_document_number"


class PasswordRefused(DomainError):
    """A password breaks the policy: `points` says where, the other facts are the policy's figures."""

    code = "password_refused"

    def __init__(self, points: tuple[PasswordPoint, ...], policy: PasswordPolicy) -> None:
        super().__init__(
            "password",
            points=points,
            min_length=policy.min_length,
            max_length=policy.max_length,
            longest_run=policy.longest_run,
        )
        self.points = points


_STANDARD = PasswordPolicy()


def prepare_password(password: str) -> str:
    """Return the form of a password that is hashed and verified (RFC 8265 §4.2, OpaqueString): NFC, plain spaces.

    The same password typed on two devices may come in two encodings of one character. Use it at registration and
    at every login; it changes nothing in ASCII.
    """
    spaces = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaces)


def check_password(
    password: str,
    *,
    policy: PasswordPolicy = _STANDARD,
    login_name: str | None = None,
    phone: str | None = None,
    document_number: str | None = None,
) -> str:
    """Return the prepared password, or raise `PasswordRefused` with every point that it breaks (P3).

    `phone` is in E.164 form; the password may hold neither it nor its national digits. Case makes no difference
    to runs and to what the password may not contain.
    """
    text = prepare_password(password)
    points = (
        *_length(text, policy),
        *_kinds(text, policy),
        *_characters(text),
        *_runs(text, policy.longest_run),
        *_own_data(text, login_name, phone, document_number),
    )
    if points:
        raise PasswordRefused(points, policy)
    return text


def _length(text: str, policy: PasswordPolicy) -> Iterator[PasswordPoint]:
    if len(text) < policy.min_length:
        yield PasswordPoint.TOO_SHORT
    if len(text) > policy.max_length:
        yield PasswordPoint.TOO_LONG


def _kinds(text: str, policy: PasswordPolicy) -> Iterator[PasswordPoint]:
    lacking = {
        PasswordPoint.NO_UPPER: not re.search("[A-Z]", text),
        PasswordPoint.NO_LOWER: not re.search("[a-z]", text),
        PasswordPoint.NO_DIGIT: not re.search("[0-9]", text),
    }
    if not policy.any_three_kinds:
        yield from (point for point, lacks in lacking.items() if lacks)
        return
    has_others = bool(re.search("[^A-Za-z0-9]", text))
    if _KINDS_IN_ALL - 1 - sum(lacking.values()) + has_others < _KINDS_WHEN_RELAXED:
        yield PasswordPoint.TOO_FEW_KINDS


def _characters(text: str) -> Iterator[PasswordPoint]:
    """Refuse what cannot be seen or encoded: controls, format characters, lone surrogates (RFC 8264 §9)."""
    if any(unicodedata.category(char).startswith("C") for char in text):
        yield PasswordPoint.CONTROL_CHARACTERS


def _runs(text: str, longest: int) -> Iterator[PasswordPoint]:
    """Refuse keys or characters in a row, one way or the other, shifted or not."""
    keys = text.lower().translate(_UNSHIFTED)
    if any(run in keys for line in _LINES for way in (line, line[::-1]) for run in _pieces(way, longest + 1)):
        yield PasswordPoint.RUN


def _pieces(line: str, length: int) -> Iterator[str]:
    """Yield every piece of `line` that has `length` characters."""
    return (line[start : start + length] for start in range(len(line) - length + 1))


def _own_data(
    text: str, login_name: str | None, phone: str | None, document_number: str | None
) -> Iterator[PasswordPoint]:
    password = text.casefold()
    if login_name and login_name.casefold() in password:
        yield PasswordPoint.HAS_LOGIN_NAME
    if phone and national_digits(phone) in password:
        yield PasswordPoint.HAS_PHONE
    if document_number and document_number.casefold() in password:
        yield PasswordPoint.HAS_DOCUMENT_NUMBER
