"""Software statements (RFC 7591 §2.3): metadata that somebody whom we trust says of a piece of software, signed.

Trusted is whose key stands in the file of the setting `software_statement_jwks`, read once at start; without that file
no statement is approved. What a statement says wins over what the client says, and the policy bounds both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from idp import clock
from idp.clients import public_keys
from idp.oidc import client_jwts, strict_json
from idp.oidc.client_jwts import JwtRefused
from idp.oidc.errors import InvalidSoftwareStatementError, UnapprovedSoftwareStatementError
from idp.oidc.strict_json import JsonRefused
from idp.settings import Settings, SettingWrong

NAME = "software_statement"
SETTING = "software_statement_jwks"
EXTENSION = "jingban.software_statement_keys"
ALGORITHMS = ["RS256", "PS256", "ES256"]
ABOUT_ITSELF = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", NAME, "client_id", "client_secret"})


def init_app(app: Flask, settings: Settings) -> None:
    """Read the keys of those whom we trust. Raises SettingWrong: found out at start, not by the first client."""
    file = settings.software_statement_jwks
    app.extensions[EXTENSION] = None if file is None else _keys(file)


def applied(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a request with what its statement says put over it. Raises OAuth2Error."""
    statement = body.get(NAME)
    own = {name: value for name, value in body.items() if name != NAME}
    if statement is None:
        return own
    if not isinstance(statement, str):
        raise InvalidSoftwareStatementError("The software statement is not a JWT")
    keys: KeySet | None = current_app.extensions[EXTENSION]
    if keys is None:
        raise UnapprovedSoftwareStatementError("No software statement is approved here")
    said = _verified(statement, keys)
    return own | {name: value for name, value in said.items() if name not in ABOUT_ITSELF}


def _verified(statement: str, keys: KeySet) -> dict[str, Any]:
    """Return the claims (RFC 7591 §2.3: `iss` MUST be there). Raises InvalidSoftwareStatementError."""
    try:
        token = client_jwts.unverified(statement)
        client_jwts.check_type(token)
        jwt.decode(statement, keys, algorithms=ALGORITHMS)
        claims = token.claims
        now = clock.timestamp()
        is_live = claims.get("nbf", 0) <= now < claims.get("exp", now + 1)
    except (JwtRefused, JoseError, ValueError, TypeError) as error:
        raise InvalidSoftwareStatementError("The software statement cannot be verified") from error
    issuer = claims.get("iss")
    if not is_live or not isinstance(issuer, str) or not issuer:
        raise InvalidSoftwareStatementError("The software statement names no issuer, or has expired")
    return claims


def _keys(file: Path) -> KeySet:
    """Return the public keys in `file`. Raises SettingWrong."""
    try:
        jwks = strict_json.read(file.read_text())
    except OSError as error:
        raise SettingWrong(SETTING, f"{file} cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, JsonRefused) as error:
        raise SettingWrong(SETTING, f"{file} is not JSON") from error
    if public_keys.holds_secrets(jwks):
        raise SettingWrong(SETTING, f"{file} holds private keys; only the public ones belong there")
    found = [each for each in public_keys.read(jwks) if any(each.fits(alg) for alg in ALGORITHMS)]
    if not found or len(found) != len(jwks["keys"]):
        kinds = "RSA keys of at least 2048 bits or EC keys on P-256, for signatures"
        raise SettingWrong(SETTING, f"{file} must be a JWK set (RFC 7517) of {kinds}")
    return KeySet.import_key_set(jwks)
