"""What can go wrong when somebody signs in with an upstream."""

from idp.errors import DomainError


class TripGone(DomainError):
    """The return belongs to no trip of this browser: unknown, expired, used, or begun in another browser."""

    code = "upstream_trip_gone"


class GivenUp(DomainError):
    """The browser came back without a code: the person turned around over there."""

    code = "upstream_given_up"


class KindRefused(DomainError):
    """The upstream says that a unit signed in where the settings have it vouch for persons only, or the reverse."""

    code = "upstream_kind_refused"
    status = 403


class NotRealNamed(DomainError):
    """The upstream never checked who its account is (L0), so it vouches for nobody."""

    code = "upstream_not_real_named"
    status = 403


class IdentityChanged(DomainError):
    """The linked account has another document number over there than with us."""

    code = "upstream_identity_changed"
    status = 403


class PhoneMissing(DomainError):
    """The upstream knows no mobile number of the person, and an account needs one."""

    code = "upstream_phone_missing"
    status = 403


class OrgCodeNew(DomainError):
    """A unit without an account here has an organisation code over there; only USCCs are registered (U3)."""

    code = "upstream_org_code"
    status = 403


class SeveralAccounts(DomainError):
    """Two living accounts stand for one natural person; an administrator must cancel one (P13)."""

    code = "person_data_wrong"
    status = 409


class LinkGone(DomainError):
    """No account at this upstream is linked to the person any more."""

    code = "upstream_link_gone"
    status = 404


class ProofNeeded(DomainError):
    """The account was proven by other means, so it is linked only by who can sign in to it."""

    code = "upstream_proof_needed"
    status = 403
