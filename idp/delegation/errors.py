"""What can go wrong between a person and a unit."""

from idp.errors import DomainError


class PersonNotFound(DomainError):
    """No active person has this name, this document and this login name, all three (U9)."""

    code = "person_not_found"


class AlreadyBound(DomainError):
    """The pair has a binding already, or a request for one that waits for an answer (U9)."""

    code = "already_bound"


class BindingGone(DomainError):
    """The binding was answered, withdrawn or ended meanwhile, or is not the caller's."""

    code = "binding_gone"
    status = 409


class CommonContactStays(DomainError):
    """A common contact is unbound only after another one is set (U12)."""

    code = "common_contact_stays"


class CommonContactCannotLeave(DomainError):
    """A common contact leaves only after the unit has set another one (U12)."""

    code = "common_contact_cannot_leave"


class BusinessUnknown(DomainError):
    """The catalogue has no such business any more."""

    code = "business_unknown"


class GrantGone(DomainError):
    """The grant was withdrawn or expired meanwhile, or is not the caller's."""

    code = "grant_gone"
    status = 409


class NothingToAskFor(DomainError):
    """The person is granted, has asked for, or was lately refused all that could be asked of the unit (C5)."""

    code = "nothing_to_ask_for"
    status = 409


class TooManyGrantRequests(DomainError):
    """The person asked units for grants as often as may be in a day (C5)."""

    code = "too_many_grant_requests"
    status = 429


class GrantRequestGone(DomainError):
    """The request was answered or has lapsed meanwhile, or is not to the caller's unit."""

    code = "grant_request_gone"
    status = 409


class AuthorisationCodeWrong(DomainError):
    """Not the unit's authorisation code: mistyped, used, expired, superseded, another unit's; fact `left` tries."""

    code = "authorisation_code_wrong"

    def __init__(self, left: int) -> None:
        super().__init__("code", left=left)


class AuthorisationCodeLocked(DomainError):
    """Five wrong authorisation codes for a unit in a row; fact `minutes` that are left (U14)."""

    code = "authorisation_code_locked"
    status = 429

    def __init__(self, minutes: int) -> None:
        super().__init__("code", minutes=minutes)


class NobodyToTell(DomainError):
    """Nobody is bound to the unit to whom an SMS could go."""

    code = "nobody_to_tell"
    status = 409


class WindowReversed(DomainError):
    """A window that ends before it begins (U11)."""

    code = "window_reversed"


class WindowOver(DomainError):
    """A window that is over already (U11)."""

    code = "window_over"


class WindowTooFar(DomainError):
    """A window with a day that lies further ahead than anyone grants (U11)."""

    code = "window_too_far"


class AgentMismatch(DomainError):
    """Login name and document number are not those of one active person (U1)."""

    code = "agent_mismatch"


class AgentLevelTooLow(DomainError):
    """The agent who registers a unit must be at 二级实名 (U2)."""

    code = "agent_level_too_low"


class PersonDataWrong(DomainError):
    """Two active accounts stand for one natural person; an administrator must cancel one (P13)."""

    code = "person_data_wrong"


class AccountGone(DomainError):
    """The account is not in the state that this change starts from."""

    code = "account_gone"
    status = 409


class TooManyTries(DomainError):
    """Too many persons were asked for that there are not; try again tomorrow."""

    code = "too_many_tries"
    status = 429
