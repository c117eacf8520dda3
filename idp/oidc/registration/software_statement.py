"""Software statements (RFC 7591 §2.3): metadata that somebody whom we trust says of a piece of software, signed.

Trusted is whose key stands in the file of the setting `software_statement_jwks`; without that file no statement is
approved. What a statement says wins over what the client says, and the policy bounds both.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from idp import clock
from idp.oidc.errors import InvalidSoftwareStatementError, UnapprovedSoftwareStatementError
from idp.settings import settings

NAME = "software_statement"
ALGORITHMS = ["RS256", "PS256", "ES256"]
LONGEST = 16 * 1024
ABOUT_ITSELF = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", NAME, "client_id", "client_secret"})


def applied(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a request with what its statement says put over it. Raises OAuth2Error."""
    statement = body.get(NAME)
    own = {name: value for name, value in body.items() if name != NAME}
    if statement is None:
        return own
    if not isinstance(statement, str) or len(statement) > LONGEST:
        raise InvalidSoftwareStatementError("The software statement is not a JWT")
    file = settings().software_statement_jwks
    if file is None:
        raise UnapprovedSoftwareStatementError("No software statement is approved here")
    said = _verified(statement, _keys(file))
    return own | {name: value for name, value in said.items() if name not in ABOUT_ITSELF}


def _verified(statement: str, keys: KeySet) -> dict[str, Any]:
    """Return the claims (RFC 7591 §2.3: `iss` MUST be there). Raises InvalidSoftwareStatementError."""
    try:
        claims = jwt.decode(statement, keys, algorithms=ALGORITHMS).claims
        now = clock.timestamp()
        is_live = claims.get("nbf", 0) <= now < claims.get("exp", now + 1)
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidSoftwareStatementError("The software statement cannot be verified") from error
    if not is_live or not isinstance(claims.get("iss"), str):
        raise InvalidSoftwareStatementError("The software statement names no issuer, or has expired")
    return claims


@cache
def _keys(file: Path) -> KeySet:
    return KeySet.import_key_set(json.loads(file.read_text()))
