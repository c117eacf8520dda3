"""Where a browser may be sent within the portal."""

import re

LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path of ours: no second slash, no backslash, nothing that a browser would read as another host."""


def local_path(target: str | None) -> str:
    """Return `target` if it is a path of ours, otherwise an empty text."""
    return target if target and LOCAL_PATH.fullmatch(target) else ""
