"""The forms by which a digital certificate is shown: pasted, or as files, with the signature of a challenge."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, FileField, HiddenField, TextAreaField

from idp.errors import DomainError
from idp.factors.certificates import reading, signatures
from idp.factors.certificates.errors import PrivateKeySent
from idp.factors.certificates.reading import Presented
from idp.flows.forms.base import Form


class CertificateAnswer(Form):
    """A challenge that was signed outside of the browser. A file is taken before what was pasted."""

    challenge = HiddenField()
    certificate = TextAreaField(_("证书"))
    certificate_file = FileField(_("证书文件"))
    signature = TextAreaField(_("签名值"))
    signature_file = FileField(_("签名文件"))

    def refuse(self, error: DomainError, text: str | None = None) -> None:
        """Show `error`, and a private key that was sent never again."""
        if isinstance(error, PrivateKeySent):
            self.certificate.data = ""
        super().refuse(error, text)

    def presented(self) -> Presented:
        """Return the certificates that were sent. Raises as `reading.from_text`."""
        sent = _content(self.certificate_file)
        return reading.from_bytes(sent) if sent else reading.from_text(self.certificate.data or "")

    def signed(self) -> bytes:
        """Return the signature that was sent. Raises SignatureUnreadable."""
        sent = _content(self.signature_file)
        return signatures.from_bytes(sent) if sent else signatures.from_text(self.signature.data or "")


class CertificateSignIn(CertificateAnswer):
    """数字证书登录 (P8, U6), of a person also to act for a unit (C1)."""

    as_unit = BooleanField(_("以单位身份登录"))


def _content(field: FileField) -> bytes:
    """Return what a file holds; nothing where none was chosen."""
    return field.data.read() if field.data else b""
