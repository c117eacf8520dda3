"""What factors refuse."""

from idp.errors import DomainError


class FreshLoginNeeded(DomainError):
    """The sign-in is older than changing factors allows: sign in again and come back."""

    code = "fresh_login_needed"
    status = 403


class SecondFactorNeeded(DomainError):
    """A factor that lifts sessions to L2 is enrolled only in a session that has reached it."""

    code = "second_factor_needed"
    status = 403


class LastWayIn(DomainError):
    """Without this factor, or this link to an upstream, nobody could sign in to the account any more."""

    code = "last_way_in"
    status = 409


class PasswordThere(DomainError):
    """The account has a password already, perhaps since a moment ago."""

    code = "password_there"
    status = 409


class FactorLocked(DomainError):
    """Five wrong codes in a row; fact `minutes` that are left."""

    code = "factor_locked"
    status = 429

    def __init__(self, minutes: int) -> None:
        super().__init__("code", minutes=minutes)


class CodeWrong(DomainError):
    """No code of the authenticator app at this time, or one that was used; fact `left` tries."""

    code = "factor_code_wrong"

    def __init__(self, left: int) -> None:
        super().__init__("code", left=left)


class RecoveryCodeWrong(DomainError):
    """No recovery code of this person, or one that was used; fact `left` tries."""

    code = "recovery_code_wrong"

    def __init__(self, left: int) -> None:
        super().__init__("code", left=left)


class ConfirmationWrong(DomainError):
    """The code by which a new authenticator app shows that it has the secret is wrong."""

    code = "totp_confirmation_wrong"

    def __init__(self) -> None:
        super().__init__("code")


class TotpEnrolled(DomainError):
    """The person has an authenticator app already: the old one is removed first."""

    code = "totp_enrolled"
    status = 409


class FactorGone(DomainError):
    """The person does not have this factor any more."""

    code = "factor_gone"
    status = 404


class NobodyWithPhone(DomainError):
    """Whoever has this phone, and proved it, has no account to sign in to."""

    code = "nobody_with_phone"

    def __init__(self) -> None:
        super().__init__("phone")


class PasskeyRefused(DomainError):
    """The passkey's answer does not hold: unknown, expired, of another browser, or wrongly signed."""

    code = "passkey_refused"


class PasskeyKnown(DomainError):
    """The authenticator has a passkey for this account already."""

    code = "passkey_known"
    status = 409


class TooManyPasskeys(DomainError):
    """No more passkeys for one account."""

    code = "too_many_passkeys"
    status = 409


class ScanGone(DomainError):
    """No such QR code, or it has expired, was used, or belongs to another browser: which of these is not told."""

    code = "scan_gone"
    status = 404


class ScanTaken(DomainError):
    """Another phone scanned the QR code first."""

    code = "scan_taken"
    status = 409


class ScanNumberWrong(DomainError):
    """Not the number on the other screen; fact `left` tries."""

    code = "scan_number_wrong"

    def __init__(self, left: int) -> None:
        super().__init__("number", left=left)
