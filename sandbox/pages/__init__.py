"""What the stand-ins' pages share: a frame that says what they are, a stylesheet, the browser's policy, QR codes."""

import base64

import qrcode
from flask import Blueprint, Flask, Response, render_template
from qrcode.image.svg import SvgPathFillImage

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_FORMS_STAY = "; form-action 'self'"


def install(app: Flask, name: str, title: str) -> None:
    """Give `app` the frame. `name` chooses colours and icon (`<name>.svg`), `title` stands on every page."""
    frame = Blueprint("pages", __name__, url_prefix="/pages", template_folder="templates", static_folder="static")
    app.register_blueprint(frame)
    app.context_processor(lambda: {"system_name": name, "system_title": title})


def page(template: str, status: int = 200, *, leads_out: bool = False, **values: object) -> Response:
    """Return the page of that template. `leads_out`: what is sent from it may end at another site.

    Chromium holds every redirect that follows against `form-action`, and where a client sends people on is not known
    here, so such a page goes without it.
    """
    policy = _POLICY if leads_out else _POLICY + _FORMS_STAY
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
    return Response(render_template(template, **values), status, headers=headers)


def problem(sentence: str, status: int = 400) -> Response:
    """Return a page that says what is wrong and leads nowhere: it is not known where to."""
    return page("problem.html", status, sentence=sentence)


def qr_code(text: str) -> str:
    """Return a picture of `text` for an `img`, black on white whatever the page's colours, as a data URL."""
    picture = qrcode.make(text, image_factory=SvgPathFillImage, border=2).to_string()
    return "data:image/svg+xml;base64," + base64.b64encode(picture).decode()
