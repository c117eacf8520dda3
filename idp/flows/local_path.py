"""Where to go after sign-in, from the address: only ever a page of ours (no open redirect)."""

import re
from urllib.parse import unquote, urlsplit

LONGEST = 2000
_DECODINGS = 3
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")


def local_path(given: str | None) -> str | None:
    """Return `given` if it is a path of this site, with its query, else None.

    Browsers read `//host`, `/\\host` and what control characters and percent signs can make of them as other hosts;
    all of these are refused, however often they are encoded.
    """
    if not given or len(given) > LONGEST:
        return None
    text = given
    for _ in range(_DECODINGS):
        if not _is_local(text):
            return None
        decoded = unquote(text.partition("?")[0])
        if decoded == text:
            break
        text = decoded
    return given if _is_local(text) else None


def _is_local(text: str) -> bool:
    if not text.startswith("/") or text.startswith("//") or _FORBIDDEN.search(text):
        return False
    parts = urlsplit(text)
    return not parts.scheme and not parts.netloc
