"""The device authorization endpoint (RFC 8628 §3.1, §3.2): what it takes, answers and refuses."""

import json
import secrets
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp import clock, ids, jobs
from idp.sessions.model import DeviceCode
from idp.settings import settings
from idp.store.db import db
from tests.oidc import client_jwt
from tests.oidc.device.scene import GRANTS, SCOPES, Scene
from tests.oidc.portal import API, Portal, assert_refused, body_of
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys


def row() -> DeviceCode:
    db.session.rollback()
    return db.session.scalars(select(DeviceCode).execution_options(populate_existing=True)).one()


def test_the_answer(either: Scene) -> None:
    """§3.2; codes of 256 and 34 bits, and nothing stored that would let anybody poll."""
    asked = either.ask()
    assert set(asked) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval")
    }
    assert len(asked["device_code"]) == 43
    assert asked["verification_uri"] == f"{settings().issuer}/device"
    assert asked["verification_uri_complete"] == f"{settings().issuer}/device?user_code={asked['user_code']}"
    assert (asked["expires_in"], asked["interval"]) == (600, 5)
    first, hyphen, second = asked["user_code"][:4], asked["user_code"][4], asked["user_code"][5:]
    assert (len(first), hyphen, len(second)) == (4, "-", 4)
    assert set(first + second) <= set("BCDFGHJKLMNPQRSTVWXZ")
    stored = row()
    assert stored.device_hash == ids.fingerprint(asked["device_code"])
    assert asked["device_code"] not in json.dumps(stored.request)


def test_every_device_has_codes_of_its_own(scene: Scene) -> None:
    answers = [scene.ask() for _ in range(20)]
    assert len({each["user_code"] for each in answers}) == len({each["device_code"] for each in answers}) == 20


def test_a_code_that_another_has_is_drawn_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("B" * 8 + "B" * 8 + "C" * 8)
    monkeypatch.setattr(secrets, "choice", lambda _alphabet: next(letters))
    assert [scene.ask()["user_code"] for _ in range(2)] == ["BBBB-BBBB", "CCCC-CCCC"]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"scope": "profile"}, "invalid_scope"),
        ({"state": "x"}, "invalid_scope"),
        ({"scope": "openid email"}, "invalid_scope"),
        ({"scope": "openid", "resource": "https://other.example"}, "invalid_target"),
        ({"scope": "openid", "authorization_details": "[{}]"}, "invalid_authorization_details"),
        ({"scope": "openid", "authorization_details": "nonsense"}, "invalid_authorization_details"),
        ({"scope": "openid", "org_hint": "914400000000000000"}, "invalid_request"),
        ({"scope": "openid", "max_age": "soon"}, "invalid_request"),
        ({"scope": "openid", "claims": "nonsense"}, "invalid_request"),
        ({"scope": "openid", "id_token_hint": "a.b.c"}, "invalid_request"),
    ],
)
def test_what_the_checks_refuse(scene: Scene, parameters: dict[str, str], error: str) -> None:
    assert_refused(scene.request(**parameters), error)


def test_what_is_asked_is_kept(scene: Scene) -> None:
    details = [{"type": "unit_delegation", "actions": ["rec.position"]}]
    scene.ask(resource=API, authorization_details=json.dumps(details), acr_values="urn:jingban:acr:L1")
    kept = row().request
    assert kept["resources"] == [API]
    assert kept["unit_delegation"]["actions"] == ["rec.position"]
    assert kept["device"] == row().id


def test_the_client_proves_itself(scene: Scene) -> None:
    """§3.1: as at the token endpoint."""
    wrong = Portal(scene.app, scene.portal.client_id, "wrong")
    assert_refused(wrong.post("/oidc/device_authorization", {"scope": "openid"}), "invalid_client", 401)
    other = Portal.registered(scene.app, "web")
    assert_refused(other.post("/oidc/device_authorization", {"scope": "openid"}), "unauthorized_client")
    twice = scene.app.test_client().post("/oidc/device_authorization?scope=openid")
    assert twice.status_code == 400


def test_a_public_client(scene: Scene) -> None:
    public = Portal.registered(scene.app, "tv", public=True, grant_types=GRANTS, scopes=SCOPES)
    response = public.post("/oidc/device_authorization", {"scope": "openid"})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "/oidc/token", "/oidc/device_authorization"])
def test_a_client_that_signs(scene: Scene, path: str) -> None:
    """RFC 7523 §3: the audience is the issuer; libraries of the time before name an address."""
    more = {"jwks": client_jwt.key_set()}
    values = {"token_endpoint_auth_method": "private_key_jwt", "grant_types": GRANTS, "scopes": SCOPES, "more": more}
    signing = Portal.registered(scene.app, "signing", public=True, **values)
    form = client_jwt.credentials("signing", aud=settings().issuer + path) | {"scope": "openid"}
    assert signing.post("/oidc/device_authorization", form, headers={}).status_code == 200
    assert_refused(signing.post("/oidc/device_authorization", form, headers={}), "invalid_client", 401)


def test_discovery(scene: Scene) -> None:
    found = body_of(scene.app.test_client().get("/.well-known/openid-configuration"))
    assert found["device_authorization_endpoint"] == f"{settings().issuer}/oidc/device_authorization"
    assert "urn:ietf:params:oauth:grant-type:device_code" in found["grant_types_supported"]


def test_switched_off(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, features_off=["device"])
    with app.app_context():
        plant_keys()
        portal = Portal.registered(app, grant_types=GRANTS)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"}
        assert_refused(portal.post("/oidc/token", form), "unsupported_grant_type")
        assert portal.post("/oidc/device_authorization", {"scope": "openid"}).status_code == 404
        for path in ("/device", "/device/done", "/device/refused"):
            assert app.test_client().get(path).status_code == 404
        found = body_of(app.test_client().get("/.well-known/openid-configuration"))
        assert "device_authorization_endpoint" not in found
        assert form["grant_type"] not in found["grant_types_supported"]


def test_one_address_cannot_fill_the_table(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, limit_authorize="2/minute")
    with app.app_context():
        plant_keys()
        portal = Portal.registered(app, grant_types=GRANTS)
        answers = [portal.post("/oidc/device_authorization", {"scope": "openid"}) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert body_of(answers[-1])["error"] == "temporarily_unavailable"


def test_the_worker_forgets(scene: Scene, moved_clock: MovedClock) -> None:
    """DESIGN 7: an hour after its end, so that a device that polls on is told `expired_token` first."""
    scene.ask()
    moved_clock.advance(timedelta(minutes=11))
    jobs.forget_what_expired()
    assert row().expires_at < clock.now()
    moved_clock.advance(timedelta(hours=1))
    jobs.forget_what_expired()
    assert db.session.scalars(select(DeviceCode)).all() == []
