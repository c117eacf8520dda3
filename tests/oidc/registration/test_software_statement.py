"""Software statements (RFC 7591 §2.3)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey

from idp import clock
from tests.oidc.portal import assert_refused, body_of
from tests.oidc.registration.registrar import CALLBACK, initial_token, post
from tests.support.application import MakeApp

KEY = ECKey.generate_key("P-256", {"kid": "approver"})


@pytest.fixture
def approving(make_app: MakeApp, migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    """A provider that trusts KEY."""
    file = tmp_path / "approvers.json"
    file.write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    app = make_app(migrated_sqlite_url, software_statement_jwks=file)
    with app.app_context():
        yield app


def statement(key: ECKey = KEY, alg: str = "ES256", **claims: Any) -> str:
    said = {"iss": "https://approver.example", "software_id": "approved"} | claims
    header = {"alg": alg, "kid": "approver"}
    return jwt.encode(header, {name: value for name, value in said.items() if value is not None}, key)


def test_it_wins_over_what_the_client_says(approving: Flask) -> None:
    token = initial_token(software_ids=("approved",))
    body = {"redirect_uris": [CALLBACK], "software_id": "mine", "client_name": "x", "logo_uri": "https://a.example/"}
    said = statement(client_name="获准的应用", client_secret="x", sub="y")
    told = body_of(post(approving, body | {"software_statement": said}, token))
    assert (told["software_id"], told["client_name"], told["logo_uri"]) == (
        "approved",
        "获准的应用",
        "https://a.example/",
    )
    assert told["client_secret"] != "x"


def test_the_policy_bounds_it_too(approving: Flask) -> None:
    body = {"redirect_uris": [CALLBACK], "software_statement": statement(scope="openid rec.position")}
    assert_refused(post(approving, body, initial_token()), "invalid_client_metadata")


@pytest.mark.parametrize(
    "said",
    [
        "x",
        "a.b.c",
        "x" * 20_000,
        pytest.param(lambda: statement(ECKey.generate_key("P-256", {"kid": "approver"})), id="another key"),
        pytest.param(lambda: statement(iss=None), id="no issuer"),
        pytest.param(lambda: statement(iss=""), id="an issuer without a name"),
        pytest.param(lambda: statement(exp=int(clock.timestamp())), id="expired"),
        pytest.param(lambda: statement(nbf=int(clock.timestamp()) + 60), id="not yet"),
        pytest.param(lambda: statement(exp="x"), id="no time"),
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.",
    ],
)
def test_what_cannot_be_verified(approving: Flask, said: Any) -> None:
    body = {"redirect_uris": [CALLBACK], "software_statement": said() if callable(said) else said}
    assert_refused(post(approving, body, initial_token()), "invalid_software_statement")
