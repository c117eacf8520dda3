"""What clients that register themselves need: a token for that, and addresses to come back to."""

import json

from tests.recipes.people import BUSINESS
from tests.support.stack import Stack

HOME = "http://127.0.0.1:1/"
"""Where these clients live. Nobody is there: the browser stops before it."""
CALLBACK, SIGNED_OUT = f"{HOME}callback", f"{HOME}signed-out"
SCOPE = ["openid", "profile", BUSINESS]


def initial_access_token(stack: Stack, *scope: str) -> str:
    """Return a token for a client whose users may act for units (RFC 7591 §1.2)."""
    made = stack.jingban("client", "token", "library", "--scope", " ".join(scope), "--acts-for", "optional")
    return str(json.loads(made)["initial_access_token"])
