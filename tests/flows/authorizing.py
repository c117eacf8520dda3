"""A portal's authorization request, for journeys that begin and end at the dispatcher."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import select

from idp.sessions.model import Authorization, Interaction
from idp.store.db import db, release
from tests.flows.inside import InsideVisitor
from tests.support import rows

CALLBACK = "https://portal.example/callback"
STATE = "af0ifjsldkj"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B


def parameters(scope: str = "openid", **more: str) -> dict[str, str]:
    """Return the parameters of the portal's authorization request."""
    usual = {
        "client_id": "portal",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": scope,
        "state": STATE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return usual | more


@dataclass
class Acting:
    """A person who is signed in, a portal that asks, and two businesses."""

    app: Flask
    client: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows.client(**({"client_name": "公共招聘", "consent_required": False} | self.client))
        rows.business("rec.position", name="招聘职位管理", description="发布和下架职位")
        rows.business("rec.fair", name="招聘会报名")
        self.person_id = rows.person(**self.person)
        self.visitor = InsideVisitor(self.app).sign_in(self.person_id)

    def unit(self, n: int = 1, *granted: str, kind: str = "agent", **changes: Any) -> str:
        """Add a unit that has bound the person and granted these businesses; return its id."""
        unit_id = rows.unit(n, **changes)
        binding_id = rows.binding(unit_id, self.person_id, kind=kind)
        for business in granted:
            rows.grant(binding_id, business)
        return unit_id

    def ask(self, scope: str = "openid rec.position", **more: Any) -> InsideVisitor:
        """Send the person to the provider as the portal does."""
        written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()}
        return self.visitor.get("/oidc/authorize", **parameters(scope, **written))

    def answer(self) -> dict[str, str]:
        """Return what the portal was answered with: the query of the redirect to it."""
        assert self.visitor.url.startswith(CALLBACK), f"{self.visitor.url}: {self.visitor.text}"
        return {name: values[0] for name, values in parse_qs(urlsplit(self.visitor.url).query).items()}

    def authorization(self) -> Authorization:
        """Return what the last request was granted."""
        release()
        newest = select(Authorization).order_by(Authorization.created_at.desc()).limit(1)
        return db.session.scalars(newest.execution_options(populate_existing=True)).one()

    def interaction(self) -> Interaction:
        """Return the row of the last interaction."""
        release()
        newest = select(Interaction).order_by(Interaction.created_at.desc()).limit(1)
        return db.session.scalars(newest.execution_options(populate_existing=True)).one()
