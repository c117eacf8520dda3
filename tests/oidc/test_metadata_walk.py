"""The metadata says what is true (OpenID Connect Discovery 1.0 §3, RFC 8414 §2): every advertised value is used.

The rows stand in `tests/oidc/metadata_walk.py`.
"""

from typing import Any

import pytest
from flask import Flask

from idp.features import Feature
from idp.oidc import discovery
from idp.settings import Settings
from tests.oidc.metadata_walk import MEMBERS, SWITCHES, Walk
from tests.oidc.portal import Portal, body_of
from tests.support.application import MakeApp
from tests.support.signing import plant_keys


def metadata(*off: Feature) -> dict[str, Any]:
    return discovery.metadata(Settings(features_off=frozenset(off)))


def test_every_member_has_a_row() -> None:
    assert set(metadata()) == set(MEMBERS)


def test_every_part_has_a_row() -> None:
    assert set(SWITCHES) == set(Feature)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("member", MEMBERS)
def test_what_is_advertised_is_accepted(sqlite_app: Flask, member: str) -> None:
    plant_keys()
    walk = Walk.on(sqlite_app)
    MEMBERS[member](walk, walk.metadata[member])


@pytest.mark.parametrize("feature", SWITCHES)
def test_what_is_off_is_neither_advertised_nor_answered(
    make_app: MakeApp, migrated_sqlite_url: str, feature: Feature
) -> None:
    """DESIGN 3, issue 3: an address that is off answers 404, a grant type that is off is unsupported_grant_type."""
    switch, on = SWITCHES[feature], metadata()
    app = make_app(migrated_sqlite_url, features_off=[feature])
    with app.app_context():
        portal = Portal.registered(app)
        found = body_of(app.test_client().get("/.well-known/openid-configuration"))
        assert set(on) - set(found) == switch.members
        expected = {switch.grant_type} - {None}
        assert set(on["grant_types_supported"]) - set(found["grant_types_supported"]) == expected
        for address in switch.addresses:
            client = app.test_client()
            assert {client.get(address).status_code, client.post(address).status_code} <= {404, 405}, address
            assert 404 in {client.get(address).status_code, client.post(address).status_code}, address
        if switch.grant_type is not None:
            refused = portal.post("/oidc/token", {"grant_type": switch.grant_type})
            assert body_of(refused)["error"] == "unsupported_grant_type"
