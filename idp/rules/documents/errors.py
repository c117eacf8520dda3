"""Why a document number is refused. One class for each code; the sentences stand in the message catalogue."""

from typing import Any

from idp.errors import DomainError


class DocumentRefused(DomainError):
    """Base of all refusals of a document number; its field is `document_number`."""

    code = "document_refused"

    def __init__(self, **facts: Any) -> None:
        super().__init__("document_number", **facts)


class DocumentHasSpaces(DocumentRefused):
    """A blank stands inside a person's number."""

    code = "document_has_spaces"


class DocumentFullWidth(DocumentRefused):
    """A person's number was typed with full-width characters."""

    code = "document_full_width"


class DocumentFormat(DocumentRefused):
    """A person's number has not the length and characters of its kind."""

    code = "document_format"


class DocumentOtherKind(DocumentRefused):
    """The number is well-formed, but belongs to another kind of document; fact `kind`: a `PersonDocument`."""

    code = "document_other_kind"


class DocumentCheckDigit(DocumentRefused):
    """The check digit of a person's number does not match: a slip in typing."""

    code = "document_check_digit"


class DocumentBirthDate(DocumentRefused):
    """The date of birth inside the number is no real day, lies in the future, or before 1800."""

    code = "document_birth_date"


class UsccHasSpaces(DocumentRefused):
    """A blank stands in or around a unified social credit code (U3)."""

    code = "uscc_has_spaces"


class UsccFullWidth(DocumentRefused):
    """A unified social credit code was typed with full-width characters."""

    code = "uscc_full_width"


class UsccLength(DocumentRefused):
    """A unified social credit code has not 18 characters; fact `length`."""

    code = "uscc_length"


class UsccCharacters(DocumentRefused):
    """A unified social credit code holds a character that GB 32100 does not allow at its place."""

    code = "uscc_characters"


class UsccCheckDigit(DocumentRefused):
    """A check character of a unified social credit code does not match: a slip in typing (U3)."""

    code = "uscc_check_digit"


class OrgCodeHasSpaces(DocumentRefused):
    """A blank stands in or around an organisation code."""

    code = "org_code_has_spaces"


class OrgCodeFullWidth(DocumentRefused):
    """An organisation code was typed with full-width characters."""

    code = "org_code_full_width"


class OrgCodeLength(DocumentRefused):
    """An organisation code has not 9 characters; fact `length`."""

    code = "org_code_length"


class OrgCodeCharacters(DocumentRefused):
    """An organisation code holds a character that GB 11714 does not allow at its place."""

    code = "org_code_characters"


class OrgCodeCheckDigit(DocumentRefused):
    """The check character of an organisation code does not match: a slip in typing."""

    code = "org_code_check_digit"
