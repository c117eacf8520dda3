"""Reading QR codes off a page, as a phone's camera does: the picture that the browser drew, decoded."""

from io import BytesIO

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator


def read(place: Locator) -> str:
    """Return what the one QR code in `place` holds."""
    with Image.open(BytesIO(place.screenshot())) as shot:
        codes = zxingcpp.read_barcodes(shot.convert("L"))
    found = [each for each in codes if each.format == zxingcpp.BarcodeFormat.QRCode]
    assert len(found) == 1, f"{len(found)} QR codes in the picture"
    return found[0].text
