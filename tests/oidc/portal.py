"""A portal as the token side sees it: what it was granted, and what it sends to the endpoints for clients."""

import json
from base64 import b64encode, urlsafe_b64decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp import clock, ids
from idp.audit.model import AuditEntry
from idp.notify.model import OutboxMessage
from idp.persons.model import AccountKind
from idp.rules.levels import Acr
from idp.sessions import browser_sessions, portal_sessions
from idp.sessions.model import Authorization, AuthorizationCode, PortalSession
from idp.settings import settings
from idp.store.base import from_millis
from idp.store.db import db, transaction
from tests.support import rows

VERIFIER = "a-code-verifier-of-the-test-portal-0123456789"
API = "https://api.example"
NONCE = "n-0S6_WzA2Mj"


def basic(client_id: str, secret: str) -> str:
    """Return an Authorization header (RFC 7617)."""
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


def claims_in(jwt: str) -> dict[str, Any]:
    """Return the claims of a JWT without looking at its signature."""
    payload: dict[str, Any] = json.loads(_segment(jwt, 1))
    return payload


def header_of(jwt: str) -> dict[str, Any]:
    """Return the header of a JWT."""
    header: dict[str, Any] = json.loads(_segment(jwt, 0))
    return header


def _segment(jwt: str, place: int) -> bytes:
    segment = jwt.split(".")[place]
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


@dataclass(frozen=True)
class Portal:
    """A registered client with its secret, in the current application."""

    app: Flask
    client_id: str
    secret: str | None

    @classmethod
    def registered(cls, app: Flask, client_id: str = "portal", *, public: bool = False, **changes: Any) -> "Portal":
        """Register a portal; a public one has no secret."""
        secret = None if public else ids.new_secret()
        rows.client(
            client_id,
            **{
                "secret_hash": None if secret is None else ids.fingerprint(secret),
                "token_endpoint_auth_method": "none" if public else "client_secret_basic",
                "resource": API,
                "scopes": ["openid", "profile", "phone", "offline_access", "rec.position", "rec.fair"],
            }
            | changes,
        )
        return cls(app, client_id, secret)

    @property
    def redirect_uri(self) -> str:
        """The one that `rows.client` registers."""
        return f"https://{self.client_id}.example/callback"

    # --- what the authorization endpoint would have stored ---------------------------------------------------------

    def granted(
        self,
        subject_id: str,
        unit_id: str | None = None,
        *businesses: str,
        kind: AccountKind = AccountKind.PERSON,
        scope: str = "openid",
        **changes: Any,
    ) -> str:
        """Let a person, or a unit with its own account, be signed in here; return the id of the authorization."""
        found = browser_sessions.find(rows.signed_in(subject_id, kind))
        assert found is not None
        with transaction() as session:
            sid = portal_sessions.open_or_join(
                session, session_id=found.session_id, client_id=self.client_id, subject_id=subject_id, unit_id=unit_id
            )
            values: dict[str, Any] = {
                "id": ids.new_id("a_"),
                "portal_session_id": sid,
                "client_id": self.client_id,
                "kind": kind,
                "subject_id": subject_id,
                "unit_id": unit_id,
                "scope": " ".join((scope, *businesses)),
                "businesses": " ".join(businesses),
                "resource": API,
                "nonce": NONCE,
                "auth_time": from_millis(found.auth_time),
                "acr": Acr.L1.urn,
                "amr": "pwd",
                "created_at": clock.now(),
            }
            session.add(Authorization(**values | changes))
        return str(values["id"])

    def code_for(self, grant_id: str, **changes: Any) -> str:
        """Return a code for an authorization."""
        code = ids.new_secret()
        values: dict[str, Any] = {
            "code_hash": ids.fingerprint(code),
            "authorization_id": grant_id,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "expires_at": clock.now() + timedelta(seconds=settings().code_lifetime),
        }
        with transaction() as session:
            session.add(AuthorizationCode(**values | changes))
        return code

    # --- what the portal sends -------------------------------------------------------------------------------------

    def post(self, path: str, form: dict[str, str], **options: Any) -> TestResponse:
        """POST a form with this portal's credentials, unless `headers` are given."""
        if "headers" not in options:
            if self.secret is None:
                form = {"client_id": self.client_id} | form
            else:
                options["headers"] = {"Authorization": basic(self.client_id, self.secret)}
        return self.app.test_client().post(path, data=form, **options)

    def redeem(self, code: str, /, **changes: str) -> TestResponse:
        """Redeem a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return self.post("/oidc/token", form | changes)

    def tokens(self, grant_id: str) -> dict[str, Any]:
        """Return the token response for an authorization."""
        response = self.redeem(self.code_for(grant_id))
        assert response.status_code == 200, response.text
        return body_of(response)

    def refresh(self, token: str, /, **changes: str) -> TestResponse:
        """Present a refresh token."""
        return self.post("/oidc/token", {"grant_type": "refresh_token", "refresh_token": token} | changes)

    def refreshed(self, token: str, /, **changes: str) -> dict[str, Any]:
        """Return the token response for a refresh token."""
        response = self.refresh(token, **changes)
        assert response.status_code == 200, response.text
        return body_of(response)

    def introspect(self, token: str, **changes: str) -> dict[str, Any]:
        """Return what introspection says."""
        response = self.post("/oidc/introspect", {"token": token} | changes)
        assert response.status_code == 200, response.text
        return body_of(response)

    def revoke(self, token: str, **changes: str) -> TestResponse:
        """Revoke a token."""
        return self.post("/oidc/revoke", {"token": token} | changes)

    def userinfo(self, token: str) -> TestResponse:
        """Ask UserInfo."""
        return self.app.test_client().get("/oidc/userinfo", headers={"Authorization": f"Bearer {token}"})


def body_of(response: TestResponse) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    body = response.get_json()
    assert isinstance(body, dict)
    return body


def assert_refused(response: TestResponse, error: str, status: int = 400) -> None:
    """Assert an OAuth error (RFC 6749 §5.2)."""
    assert (response.status_code, body_of(response).get("error")) == (status, error), response.text


def assert_dead(portal: Portal, tokens: dict[str, Any]) -> None:
    """Assert that nothing of a token response works any more."""
    assert portal.introspect(tokens["access_token"]) == {"active": False}
    assert portal.introspect(tokens["refresh_token"]) == {"active": False}
    assert portal.userinfo(tokens["access_token"]).status_code == 401
    assert_refused(portal.refresh(tokens["refresh_token"]), "invalid_grant")


def stored(grant_id: str) -> Authorization:
    """Return the authorization as it stands now: a read transaction left open would show it as it was."""
    db.session.rollback()
    return db.session.get_one(Authorization, grant_id, populate_existing=True)


def is_alive(grant_id: str) -> bool:
    """Tell whether an authorization stands."""
    return stored(grant_id).ended_at is None


def audited(action: str) -> list[AuditEntry]:
    """Return the audit entries of an action, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def logouts_queued() -> int:
    """Return how many back-channel logouts wait for delivery."""
    db.session.rollback()
    kinds = db.session.scalars(select(OutboxMessage.kind)).all()
    return sum(kind == "backchannel_logout" for kind in kinds)


def portal_session_alive(grant_id: str) -> bool:
    """Tell whether the portal session of an authorization stands."""
    db.session.rollback()
    ended = db.session.execute(
        select(PortalSession.ended_at)
        .join(Authorization, Authorization.portal_session_id == PortalSession.id)
        .where(Authorization.id == grant_id)
    ).scalar_one()
    return ended is None
