"""The OpenID provider, as a client sees it: Authlib's Flask client, and the calls that it lacks.

Every endpoint comes from discovery. Whatever goes wrong is one of two things: the provider cannot be asked
(`ProviderDown`), or it says no (`ProviderRefused`).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from authlib.integrations.flask_client import FlaskIntegration, OAuth, OAuthError
from flask import Flask, current_app, request, session
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from relying_parties.shared import clock
from relying_parties.shared.database import connection
from relying_parties.shared.settings import Settings

TIMEOUT_SECONDS = 5
KEYS_MAX_AGE = 300  # seconds; a key that the provider took back must not be trusted for long
KEYS_MIN_AGE = 5  # seconds; made-up key ids must not let us hammer the provider
LEEWAY = 30  # seconds that our clocks may differ
SIGN_INS_AT_ONCE = 5

_NAME = "provider"


class ProviderDown(Exception):
    """The provider does not answer, or not as an OpenID provider does."""


class ProviderRefused(Exception):
    """The provider said no, or its answer does not hold. `code` is an OAuth error or one of ours."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def _translating() -> Iterator[None]:
    """Turn the exceptions of Authlib, joserfc and requests into our two."""
    try:
        yield
    except OAuthError as error:
        raise ProviderRefused(str(error.error)) from error
    except JoseError as error:
        raise ProviderRefused("invalid_id_token") from error
    except (requests.RequestException, ValueError, KeyError) as error:
        raise ProviderDown(type(error).__name__) from error


class SignInStates:
    """The cache in which Authlib keeps state, nonce and PKCE verifier; the cookie only names them."""

    def get(self, key: str) -> str | None:
        """Return what was kept under `key`."""
        row = (
            connection()
            .execute("SELECT value FROM sign_in WHERE key = ? AND ends_at > ?", [key, clock.now()])
            .fetchone()
        )
        return None if row is None else str(row["value"])

    def set(self, key: str, value: str, expires_in: int) -> None:
        """Keep `value` for `expires_in` seconds; drop what is too old."""
        now = clock.now()
        connection().execute("DELETE FROM sign_in WHERE ends_at <= ?", [now])
        connection().execute("INSERT OR REPLACE INTO sign_in VALUES (?, ?, ?)", [key, value, now + expires_in])

    def delete(self, key: str) -> None:
        """Forget `key`."""
        connection().execute("DELETE FROM sign_in WHERE key = ?", [key])


class Provider:
    """The provider that `settings` names, for the application `app`."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._settings = settings
        self._keys_read_at = 0.0
        self._client = OAuth(app, cache=SignInStates()).register(  # type: ignore[no-untyped-call]
            _NAME,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"code_challenge_method": "S256", "default_timeout": TIMEOUT_SECONDS},
        )

    @_translating()
    def metadata(self) -> dict[str, Any]:
        """Return what discovery says. The issuer must be the one we know (OpenID Connect Discovery 1.0 §4.3)."""
        found: dict[str, Any] = self._client.load_server_metadata()
        if found["issuer"] != self._settings.issuer:
            found.pop("_loaded_at", None)  # ask again next time
            raise ProviderRefused("wrong_issuer")
        return found

    @_translating()
    def authorization_url(self, *, purpose: str, next_path: str, **parameters: str) -> str:
        """Return where to send the browser: code flow with state, nonce and PKCE S256.

        `purpose` and `next_path` come back from `callback`; `parameters` go to the authorization endpoint.
        """
        self.metadata()
        uri = self._settings.redirect_uri
        made = self._client.create_authorization_url(uri, **parameters)
        _forget_abandoned_sign_ins()
        self._client.save_authorize_data(redirect_uri=uri, purpose=purpose, next_path=next_path, **made)
        return str(made["url"])

    def asked(self) -> dict[str, str]:
        """Return what `authorization_url` was told before the answer in this request; empty for an unknown state."""
        found = self._client.framework.get_state_data(session, request.args.get("state", ""))
        return dict(found or {})

    @_translating()
    def callback(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Read the provider's answer in this request; return what `authorization_url` was told, and the tokens.

        The tokens' "userinfo" holds the claims of the verified ID token. Raises ProviderRefused: the provider's
        error, or `state_mismatch`, `issuer_mismatch` (RFC 9207), `no_id_token`, `invalid_id_token`.
        """
        state = request.args.get("state", "")
        asked = self._client.framework.get_state_data(session, state)
        if not asked:
            raise ProviderRefused("state_mismatch")
        try:
            self._check_issuer(request.args.get("iss"))
            self.keys()
            tokens = self._client.authorize_access_token(claims_options=self._id_token_options(), leeway=LEEWAY)
        finally:
            self._client.framework.clear_state_data(session, state)  # Authlib keeps it after an error
        if "userinfo" not in tokens:
            raise ProviderRefused("no_id_token")
        return asked, tokens

    @_translating()
    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Redeem a refresh token; "userinfo" holds the claims of the new ID token if there is one."""
        self.metadata()
        tokens = self._client.fetch_access_token(grant_type="refresh_token", refresh_token=refresh_token)
        if "id_token" in tokens:
            self.keys()
            tokens["userinfo"] = self._client.parse_id_token(
                tokens, nonce=None, claims_options=self._id_token_options(), leeway=LEEWAY
            )
        found: dict[str, Any] = tokens
        return found

    @_translating()
    def userinfo(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Return the UserInfo answer for the access token in `tokens`."""
        found: dict[str, Any] = self._client.userinfo(token=tokens)
        return found

    @_translating()
    def introspect(self, token: str) -> dict[str, Any]:
        """Return what the provider says of an access token now (RFC 7662)."""
        answer = requests.post(
            self.metadata()["introspection_endpoint"],
            data={"token": token, "token_type_hint": "access_token"},
            auth=(self._settings.client_id, self._settings.client_secret),
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    @_translating()
    def keys(self, *, again: bool = False) -> KeySet:
        """Return the provider's keys; `again` after a key id that was not among them."""
        self.metadata()
        age = time.monotonic() - self._keys_read_at
        stale = self._keys_read_at == 0 or age > (KEYS_MIN_AGE if again else KEYS_MAX_AGE)
        found = self._client.fetch_jwk_set(force=stale)
        if stale:
            self._keys_read_at = time.monotonic()
        return KeySet.import_key_set(found)

    @_translating()
    def logout_url(self, id_token: str | None) -> str:
        """Return where the browser logs out (OpenID Connect RP-Initiated Logout 1.0)."""
        made = self._client.create_logout_url(
            post_logout_redirect_uri=self._settings.post_logout_redirect_uri,
            id_token_hint=id_token,
            client_id=self._settings.client_id,
        )
        return str(made["url"])

    def _check_issuer(self, given: str | None) -> None:
        """RFC 9207 §2.4: the answer names the provider that was asked."""
        metadata = self.metadata()
        promised = metadata.get("authorization_response_iss_parameter_supported")
        if given != metadata["issuer"] and (given is not None or promised):
            raise ProviderRefused("issuer_mismatch")

    def _id_token_options(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self._settings.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
            "sub": {"essential": True},
        }


def provider() -> Provider:
    """Return the provider of the current application."""
    found: Provider = current_app.extensions["portal_provider"]
    return found


def _forget_abandoned_sign_ins() -> None:
    """Keep the cookie small: of the sign-ins that this browser never finished only the newest count."""
    prefix = f"_state_{_NAME}_"
    begun = sorted((key for key in session if key.startswith(prefix)), key=lambda key: session[key]["exp"])
    integration = FlaskIntegration(_NAME, SignInStates())
    for key in begun[: max(0, len(begun) - SIGN_INS_AT_ONCE + 1)]:
        integration.clear_state_data(session, key.removeprefix(prefix))  # type: ignore[no-untyped-call]
