"""Login names of persons and units (P2). Whether one is taken is asked of the database, by its key."""

import re

from idp.errors import DomainError

_LOGIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{4,19}")


class LoginNameFormat(DomainError):
    """Not 5–20 letters, digits and underscores with a letter in front."""

    code = "login_name_format"


def check_login_name(name: str) -> str:
    """Return `name` as it was typed; raise `LoginNameFormat` if it may not be chosen (P2)."""
    if not _LOGIN_NAME.fullmatch(name):
        raise LoginNameFormat("login_name")
    return name


def login_name_key(name: str) -> str:
    """Return the key under which a login name is unique and looked up, without regard to case (P2).

    Any text may come in at the login form. What is not ASCII is no login name and stays as it is: folding it
    would let K (the Kelvin sign) stand for k.
    """
    return name.lower() if name.isascii() else name
