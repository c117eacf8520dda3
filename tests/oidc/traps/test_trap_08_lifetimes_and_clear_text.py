"""DESIGN 3, trap 8: in Authlib access tokens live 10 days by default, tokens and secrets are stored in clear, and the
column for a token is too short for a JWT.
"""

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from idp.settings import Settings
from idp.store.db import db
from idp.tables import metadata
from tests.oidc.portal import Portal, assert_refused, body_of, claims_in
from tests.support import rows


def _everything(connection: Connection) -> str:
    """Return every value of every table."""
    found = []
    for table in metadata().sorted_tables:
        found.extend(connection.execute(text(f'SELECT * FROM "{table.name}"')).all())  # noqa: S608 - our own names
    return repr(found)


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_no_token_code_or_secret_is_stored_in_clear(app: Flask, portal: Portal, token_format: str) -> None:
    other = Portal.registered(app, "other", access_token_format=token_format)
    assert other.secret is not None
    code = other.code_for(other.granted(rows.person(), scope="openid profile"))
    first = body_of(other.redeem(code))
    second = other.refreshed(first["refresh_token"])
    other.revoke(first["access_token"])
    db.session.rollback()
    with db.engine.connect() as connection:
        stored = _everything(connection)
    assert "token.issued" in stored  # the search looks at what was just written
    for tokens in (first, second):
        for name in ("access_token", "refresh_token", "id_token"):
            assert tokens[name] not in stored
            assert tokens[name].rpartition(".")[2] not in stored  # the signature of a JWT
    assert code not in stored
    assert other.secret not in stored


def test_access_tokens_live_five_minutes(sqlite_portal: Portal) -> None:
    assert Settings().access_token_lifetime == 300
    tokens = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))
    claims = claims_in(tokens["access_token"])
    assert tokens["expires_in"] == claims["exp"] - claims["iat"] == 300


def test_long_claims_fit_whatever_the_format(app: Flask, portal: Portal) -> None:
    """SQLite takes any length, PostgreSQL does not."""
    person_id, unit_id = rows.person(), rows.unit()
    binding_id = rows.binding(unit_id, person_id)
    businesses = [rows.business(f"business.{number:02d}." + "x" * 45) for number in range(20)]
    for code in businesses:
        rows.grant(binding_id, code)
    for each in (portal, Portal.registered(app, "opaque", access_token_format="opaque")):
        tokens = each.tokens(each.granted(person_id, unit_id, *businesses))
        assert each.introspect(tokens["access_token"])["scope"].split() == ["openid", *businesses]
        assert each.userinfo(tokens["access_token"]).status_code == 200
        each.revoke(tokens["access_token"])
        assert_refused(each.userinfo(tokens["access_token"]), "invalid_token", 401)
