"""A provider that really runs, on PostgreSQL (it refuses what SQLite stores), with clients and people to attack."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from joserfc.jwk import ECKey
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from idp.features import GRANT_TYPES
from idp.store.db import db
from tests.oidc import client_jwt
from tests.oidc.portal import Portal, body_of
from tests.oidc.registration import registrar
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.ports import free_port
from tests.support.processes import Spawned, spawn
from tests.support.signing import plant_keys

APPROVER = ECKey.generate_key("P-256", {"kid": "approver"})
CALLBACK = "https://portal.example/callback"


@dataclass(frozen=True)
class Running:
    """The provider; `app` is the same one in this process, for what no client can bring about.

    `access_token` is good for the whole session.
    """

    issuer: str
    app: Flask
    provider: Spawned
    portal: Portal
    person_id: str
    unit_id: str
    access_token: str
    initial_token: str
    managed: dict[str, Any]
    http: requests.Session

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request and return the answer, which must come soon and is never a 5xx."""
        response = self.http.request(method, self.issuer + path, timeout=10, allow_redirects=False, **options)
        assert response.status_code < 500, f"{method} {path}: {response.status_code}\n{self.provider.tail()}"
        return response

    def granted(self, *, for_unit: bool = True) -> str:
        """Let the person be signed in at the portal anew; return the id of the authorization."""
        with self.app.app_context():
            if for_unit:
                return self.portal.granted(self.person_id, self.unit_id, "rec.position")
            return self.portal.granted(self.person_id)

    def code(self, grant_id: str) -> str:
        """Return a code for an authorization."""
        with self.app.app_context():
            return self.portal.code_for(grant_id, redirect_uri=CALLBACK)


@contextlib.contextmanager
def running(make_app: MakeApp, database_url: str, key_file: Path, folder: Path) -> Iterator[Running]:
    """Run the provider on a migrated database while the block runs."""
    issuer, approvers = f"http://localhost:{free_port()}", folder / "approvers.json"
    approvers.write_text(json.dumps({"keys": [APPROVER.as_dict(private=False)]}))
    often = {f"limit_{what}": "1000000/minute" for what in ("authorize", "registration")}
    settings = {"issuer": issuer, "software_statement_jwks": approvers, "access_token_lifetime": 3600, **often}
    app = make_app(database_url, **settings)
    environment = {f"JINGBAN_{name.upper()}": str(value) for name, value in settings.items()}
    environment |= {"JINGBAN_DATABASE_URL": database_url, "JINGBAN_KEY_FILE": str(key_file)}
    with app.app_context():
        plant_keys()
        scene = _scene(app)
        db.session.remove()
    serve = [sys.executable, "-m", "idp", "serve", "--port", issuer.rpartition(":")[2], "--workers", "1"]
    with spawn(serve, env=environment, health=f"{issuer}/health") as provider, requests.Session() as http:
        # Who is refused before the body was read may find the connection closed while still sending.
        http.mount(issuer, HTTPAdapter(max_retries=Retry(3, status=0, allowed_methods=None)))
        yield Running(issuer, app, provider, http=http, **scene)


def _scene(app: Flask) -> dict[str, Any]:
    """Return a portal that may do everything, a person who signed in there and acts for a unit, and a client."""
    portal = Portal.registered(
        app,
        "portal",
        grant_types=list(GRANT_TYPES),
        redirect_uris=[CALLBACK],
        consent_required=False,
        more={"jwks": client_jwt.key_set()},
    )
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    code = portal.code_for(portal.granted(person_id), redirect_uri=CALLBACK)
    token = registrar.initial_token()
    return {
        "portal": portal,
        "person_id": person_id,
        "unit_id": unit_id,
        "access_token": body_of(portal.redeem(code, redirect_uri=CALLBACK))["access_token"],
        "initial_token": token,
        "managed": registrar.registered(app, token),
    }
