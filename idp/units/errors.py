"""What can go wrong with a unit's data."""

from idp.errors import DomainError


class UnitNumberTaken(DomainError):
    """A unit has this number. The fact `reference` also stands in the log and in the audit (U4)."""

    code = "unit_number_taken"

    def __init__(self, reference: str) -> None:
        super().__init__("document_number", reference=reference)
        self.reference = reference


class UnitDataRefused(DomainError):
    """Some of what was typed cannot be taken; `errors` holds one refusal for each such field."""

    code = "unit_data_refused"

    def __init__(self, errors: tuple[DomainError, ...]) -> None:
        super().__init__()
        self.errors = errors


class PasswordNeededAgain(DomainError):
    """The password was checked against another login name or number, and only its hash is left."""

    code = "password_needed_again"


class UnitNumberQuota(DomainError):
    """The agent has asked about too many numbers today (U4)."""

    code = "unit_number_quota"
    status = 429


class RegionIncomplete(DomainError):
    """A seat is a region that has no regions below it."""

    code = "region_incomplete"


class UnitUnknown(DomainError):
    """No active unit has this USCC or organisation code."""

    code = "unit_unknown"
    status = 404


class UnitVerified(DomainError):
    """The unit is real-named already."""

    code = "unit_verified"
    status = 409


class AuthorisationCodeMalformed(DomainError):
    """What was typed cannot be an authorisation code (U14)."""

    code = "authorisation_code_malformed"

    def __init__(self) -> None:
        super().__init__("code")


class UnitNameFixed(DomainError):
    """A verified unit's name and legal representative are not typed any more (U16)."""

    code = "unit_name_fixed"
