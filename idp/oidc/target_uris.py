"""Comparing two addresses of one endpoint: syntax- and scheme-based normalisation (RFC 3986 §6.2.2, §6.2.3)."""

import re
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_GRAPHIC = re.compile(r"[\x21-\x7e]+")


def normalised(uri: str) -> str | None:
    """Return scheme, authority and path of `uri` in normal form, without query and fragment.

    None for what is no http(s) address, or one with user information, which no endpoint of ours has.
    """
    if _GRAPHIC.fullmatch(uri) is None:
        return None
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown_port = "" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{_path(parts.path)}"


def _path(path: str) -> str:
    """Return `path` with needless escapes undone, the others in upper case, and without dot segments (§5.2.4)."""
    kept: list[str] = []
    segments = _ESCAPE.sub(_plain, path).split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _plain(escape: re.Match[str]) -> str:
    char = chr(int(escape[1], 16))
    return char if char in _UNRESERVED else escape[0].upper()
