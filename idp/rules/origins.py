"""Where an address is, as browsers compare places."""

import re


def origin_of(uri: str) -> str:
    """Return what a Content-Security-Policy calls the place of a registered `uri`: its origin, or its own scheme."""
    found = re.match(r"(https?://[^/?#\\;,\s]+)", uri)
    if found:
        return found[1]
    return uri.partition(":")[0] + ":"
