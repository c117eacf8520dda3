"""Whether a redirect URI is one that the client registered: the comparison that keeps codes from strangers."""

import re
from collections.abc import Iterable

# RFC 8252 §7.3: a native application listens on whatever port its machine gives it, on a loopback IP literal.
_LOOPBACK = re.compile(
    r"(?P<host>http://(?:127\.0\.0\.1|\[::1\]))(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>(?:[/?].*)?)"
)
_HIGHEST_PORT = 65535


def is_registered(uri: str, registered: Iterable[str], *, native: bool) -> bool:
    """Return whether `uri` equals one of `registered`, character by character (RFC 9700 §2.1, OIDC Core §3.1.2.1).

    For a native client the port of a loopback address may differ, and nothing else.
    """
    known = tuple(registered)
    if uri in known:
        return True
    return native and any(_differ_in_port_alone(uri, each) for each in known)


def _differ_in_port_alone(uri: str, registered: str) -> bool:
    asked, known = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(registered)
    if asked is None or known is None or int(asked["port"] or 0) > _HIGHEST_PORT:
        return False
    return (asked["host"], asked["rest"]) == (known["host"], known["rest"])
