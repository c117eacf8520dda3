"""A browser before the authorization endpoint: cookies, requests, and the answers that reach the portal."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp import ids
from idp.persons.model import AccountKind
from idp.sessions import browser_sessions, interactions
from idp.sessions.model import Authorization, AuthorizationCode, Interaction
from idp.settings import settings
from idp.store.db import db, transaction
from tests.oidc.portal import VERIFIER

CALLBACK = "https://portal.example/callback"
STATE = "af0ifjsldkj"


def request_parameters(**changes: str | None) -> dict[str, str]:
    """Return a request that is right in all parts, with `changes`; None takes a parameter away."""
    parameters: dict[str, str | None] = {
        "client_id": "portal",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "state": STATE,
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (parameters | changes).items() if value is not None}


class Client(FlaskClient):
    """A test client whose requests share nothing but cookies, although a test holds an application context."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request in a context of its own: `g` and the database session begin anew, as they do in service."""
        with self.application.app_context():
            return super().open(*args, **kwargs)


class Browser:
    """One browser with its cookies."""

    def __init__(self, app: Flask) -> None:
        self.http = Client(app, use_cookies=True, response_wrapper=app.response_class)

    def sign_in(self, subject_id: str, kind: AccountKind = AccountKind.PERSON, amr: Iterable[str] = ("pwd",)) -> str:
        """Sign in as the flows do, and return the id of the session."""
        old = self.http.get_cookie("jingban_session")
        replaced = browser_sessions.find(old.value) if old else None
        with transaction() as session:
            token = browser_sessions.start(
                session,
                kind=kind,
                subject_id=subject_id,
                amr=tuple(amr),
                address="192.0.2.1",
                user_agent="test",
                replaces=replaced.session_id if replaced else None,
            )
        self.http.set_cookie("jingban_session", token)
        found = browser_sessions.find(token)
        assert found is not None
        return found.session_id

    def get(self, url: str) -> TestResponse:
        """Open a page without following redirects."""
        return self.http.get(url)

    def authorize(self, **changes: str | None) -> TestResponse:
        """Send an authorization request."""
        return self.http.get("/oidc/authorize", query_string=request_parameters(**changes))

    def resume(self, interaction_id: str) -> TestResponse:
        """Return from a journey."""
        return self.http.get(f"/interaction/{interaction_id}")

    def journey(self, **changes: str | None) -> str:
        """Send a request that leads to a page, and return the interaction."""
        return interaction_in(self.authorize(**changes))


def page_of(response: TestResponse) -> tuple[str, dict[str, str]]:
    """Return the path and the query of the page that a redirect leads to, without the interaction."""
    assert response.status_code == 303, response.text
    parts = urlsplit(response.headers["Location"])
    assert not parts.netloc or parts.netloc == "localhost", response.headers["Location"]
    query = dict(parse_qsl(parts.query))
    query.pop("interaction", None)
    return parts.path, query


def interaction_in(response: TestResponse) -> str:
    """Return the interaction that a redirect to a page names."""
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))["interaction"]


def answer_in(response: TestResponse) -> dict[str, str]:
    """Return the parameters that reach the portal's callback, `iss` and `state` checked and taken out."""
    assert response.status_code == 303, response.text
    target, _, query = response.headers["Location"].partition("?")
    assert target == CALLBACK, response.headers["Location"]
    pairs = parse_qsl(query, strict_parsing=True)
    answer = dict(pairs)
    assert len(pairs) == len(answer), query
    assert answer.pop("iss") == settings().issuer
    assert answer.pop("state") == STATE
    return answer


def error_in(response: TestResponse) -> str:
    """Return the OAuth error that reaches the portal."""
    answer = answer_in(response)
    assert set(answer) <= {"error", "error_description"}
    assert not set(answer.get("error_description", "")) & set('"\\'), answer
    assert answer.get("error_description", "").isascii()
    return answer["error"]


def authorization_of(response: TestResponse) -> Authorization:
    """Return what stands behind the code that reaches the portal."""
    answer = answer_in(response)
    assert set(answer) == {"code", "session_state"}
    db.session.rollback()
    return db.session.scalars(
        select(Authorization)
        .join(AuthorizationCode, AuthorizationCode.authorization_id == Authorization.id)
        .where(AuthorizationCode.code_hash == ids.fingerprint(answer["code"]))
    ).one()


def interaction_row(interaction_id: str) -> Interaction:
    """Return an interaction as it is stored now."""
    db.session.rollback()
    return db.session.get_one(Interaction, interaction_id, populate_existing=True)


def chose(interaction_id: str, unit_id: str = interactions.MYSELF) -> None:
    """Choose as the chooser does."""
    interactions.choose(interaction_id, unit_id)


def agreed(interaction_id: str, subject_id: str, unit_id: str | None = None, scopes: Iterable[Any] = ()) -> None:
    """Agree as the consent page does."""
    interactions.consent(interaction_id, subject_id=subject_id, unit_id=unit_id, scopes=scopes)
