"""Why a certificate, or what was signed with it, is not taken."""

from idp.errors import DomainError


class CertificateUnreadable(DomainError):
    """What was sent is no X.509 certificate, in PEM or DER."""

    code = "certificate_unreadable"

    def __init__(self) -> None:
        super().__init__("certificate")


class PrivateKeySent(DomainError):
    """A private key was pasted beside the certificate. It is forgotten at once, but it has left its owner's hands."""

    code = "certificate_private_key"

    def __init__(self) -> None:
        super().__init__("certificate")


class SignatureUnreadable(DomainError):
    """What was sent as a signature is no base64 of one."""

    code = "certificate_signature_unreadable"

    def __init__(self) -> None:
        super().__init__("signature")


class SignatureWrong(DomainError):
    """The challenge was not signed with the key of this certificate."""

    code = "certificate_signature_wrong"

    def __init__(self) -> None:
        super().__init__("signature")


class ChallengeGone(DomainError):
    """The challenge is unknown, expired, used, or was given to another browser or for something else."""

    code = "certificate_challenge_gone"


class CertificateAbsent(DomainError):
    """The browser presented no certificate, or the proxy passed none on."""

    code = "certificate_absent"


class PeerUntrusted(DomainError):
    """A certificate was presented by a peer that is not the proxy which settings name: whoever it is made it up."""

    code = "certificate_peer_untrusted"
    status = 403


class CertificateExpired(DomainError):
    """The certificate's time is over."""

    code = "certificate_expired"
    status = 403


class CertificateNotYetValid(DomainError):
    """The certificate's time has not begun."""

    code = "certificate_not_yet_valid"
    status = 403


class CertificateRevoked(DomainError):
    """The authority took the certificate back."""

    code = "certificate_revoked"
    status = 403


class CertificateSelfSigned(DomainError):
    """The certificate was issued by nobody but itself."""

    code = "certificate_self_signed"
    status = 403


class IssuerUnknown(DomainError):
    """No chain leads from the certificate to an authority that settings name."""

    code = "certificate_issuer_unknown"
    status = 403


class UsageWrong(DomainError):
    """The certificate is for something else: encryption, a server, an authority."""

    code = "certificate_usage"
    status = 403


class CertificateWeak(DomainError):
    """The key or the signature is of a kind that is too weak, or that this provider does not know."""

    code = "certificate_weak"
    status = 403


class RevocationUnknown(DomainError):
    """Whether the certificate was revoked cannot be said: no list, an old one, or a wrongly signed one.

    `reason` is a stable code for logs.
    """

    code = "certificate_revocation_unknown"
    status = 503

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class SubjectMissing(DomainError):
    """The certificate says no document number, more than one, or one that cannot be; or no name."""

    code = "certificate_subject"
    status = 403


class KindWrong(DomainError):
    """A person's certificate on the unit's tab, or the reverse. Fact `kind`: whose certificate it is."""

    code = "certificate_kind"
    status = 403


class HolderUnknown(DomainError):
    """Nobody has an account with this document number."""

    code = "certificate_holder_unknown"
    status = 404


class SeveralAccounts(DomainError):
    """Two living accounts stand for one natural person; an administrator must cancel one (P13)."""

    code = "person_data_wrong"
    status = 409


class NameDiffers(DomainError):
    """The account with this number has another name."""

    code = "certificate_name_differs"
    status = 403


class ControlUnproven(DomainError):
    """Nobody ever checked who the account's holder is, so a certificate is added by who can sign in to it."""

    code = "certificate_control_unproven"
    status = 403


class CertificateRemoved(DomainError):
    """The owner removed this certificate from the account."""

    code = "certificate_removed"
    status = 403


class CertificateOfAnother(DomainError):
    """The certificate is not that of who is signed in."""

    code = "certificate_of_another"
    status = 403


class TooManyCertificates(DomainError):
    """No more certificates for one account."""

    code = "too_many_certificates"
    status = 409
