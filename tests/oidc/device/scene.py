"""A device that asks, a browser in which a person answers, and the polls in between."""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from idp.features import DEVICE_CODE
from idp.store.db import db, release
from tests.flows.inside import InsideVisitor, forgetful
from tests.oidc.portal import API, Portal, body_of
from tests.support import rows
from tests.support.signing import plant_keys

SCOPES = ["openid", "profile", "phone", "offline_access", "rec.position", "rec.fair"]
GRANTS = ["authorization_code", "refresh_token", DEVICE_CODE]


@dataclass
class Scene:
    """One client that runs on devices, and one person."""

    app: Flask
    portal: Portal
    person: str
    visitor: InsideVisitor
    asked: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def set(cls, app: Flask, *, public: bool = False, **changes: Any) -> "Scene":
        plant_keys()
        forgetful(app)
        values = {"grant_types": GRANTS, "scopes": SCOPES, "client_name": "招聘大屏", "resource": API}
        portal = Portal.registered(app, public=public, **values | changes)
        rows.business("rec.position", name="招聘职位管理", description="发布和下架职位")
        person = rows.person()
        return cls(app, portal, person, InsideVisitor(app).sign_in(person))

    def ask(self, scope: str = "openid profile", **parameters: str) -> dict[str, Any]:
        """Ask for codes as the device does, and return the answer."""
        response = self.request(scope=scope, **parameters)
        assert response.status_code == 200, response.text
        self.asked = body_of(response)
        return self.asked

    def request(self, **parameters: str) -> TestResponse:
        release()
        return self.portal.post("/oidc/device_authorization", parameters)

    def poll(self, **parameters: str) -> TestResponse:
        """Poll as the device does."""
        release()
        form = {"grant_type": DEVICE_CODE, "device_code": self.asked["device_code"]} | parameters
        return self.portal.post("/oidc/token", form)

    def error(self) -> str:
        """Poll and return the error."""
        response = self.poll()
        assert response.status_code == 400, response.text
        return str(body_of(response)["error"])

    def tokens(self) -> dict[str, Any]:
        response = self.poll()
        assert response.status_code == 200, response.text
        return body_of(response)

    def enter(self, code: str | None = None) -> InsideVisitor:
        """Type the code into the page and send it."""
        db.session.rollback()
        return self.visitor.get("/device").submit("user_code", user_code=code or self.asked["user_code"])

    def allow(self) -> InsideVisitor:
        """Enter the code and agree."""
        return self.enter().submit("consent", consent="allow")
