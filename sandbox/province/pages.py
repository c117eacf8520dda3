"""What the pages share: the policy of the browser, and the page that says what is wrong."""

from flask import Response, render_template

from sandbox.province.province import province

# No form-action: a sign-in ends with redirects to the client and from there to whoever sent people to the client,
# and Chromium holds every one of them against the page whose form began it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def page(template: str, status: int = 200, **values: object) -> Response:
    """Return the page of that template."""
    text = render_template(f"province/{template}", profile=province().profile, **values)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "same-origin"}
    return Response(text, status, headers=headers)


def problem(sentence: str, status: int = 400) -> Response:
    """Return a page that says what is wrong and leads nowhere: it is not known where to."""
    return page("problem.html", status, sentence=sentence)
