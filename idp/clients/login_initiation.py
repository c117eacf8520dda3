"""Sending somebody to a portal to sign in there (OpenID Connect Core §4: initiating login from a third party)."""

from urllib.parse import urlencode, urlsplit

Place = tuple[str, str]


def address(initiate_login_uri: str, issuer: str, *, login_hint: str | None = None, target: str | None = None) -> str:
    """Return where the browser goes: `iss` says who sends it.

    A `target` is passed on only if it is of the portal itself: a portal must refuse any other, and its page would then
    be an error.
    """
    parameters = {"iss": issuer}
    if login_hint is not None:
        parameters["login_hint"] = login_hint
    if target is not None and _place(target) == _place(initiate_login_uri):
        parameters["target_link_uri"] = target
    return f"{initiate_login_uri}{'&' if '?' in initiate_login_uri else '?'}{urlencode(parameters)}"


def _place(uri: str) -> Place:
    parts = urlsplit(uri)
    return parts.scheme, parts.netloc
