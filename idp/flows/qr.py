"""QR codes on pages: drawn here, as SVG without inline style."""

import qrcode
from markupsafe import Markup
from qrcode.image.svg import SvgPathImage


def picture(text: str) -> Markup:
    """Return `text` as a QR code, to stand inside of an element of class `qr`."""
    drawn = qrcode.make(text, image_factory=SvgPathImage, border=2)
    return Markup(drawn.to_string(encoding="unicode"))  # noqa: S704 - drawn here, of squares alone
