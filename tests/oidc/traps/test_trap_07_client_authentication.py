"""DESIGN 3, trap 7: in Authlib non-ASCII or undecodable Basic credentials, or a secret for a secretless client, give a
500; unknown client and wrong secret are told apart; with `none` allowed at revocation a confidential client's token
can be revoked without its secret. Every case: tests/oidc/token_endpoint/test_client_auth.py.
"""

from base64 import b64encode

import pytest

from tests.oidc.portal import Portal, assert_refused, basic
from tests.support import rows


@pytest.mark.parametrize("credentials", [b"\xff\xfe:\xfd", "門户:密".encode(), b"no-colon", b"%ff:%ff", b""])
def test_credentials_that_mean_nothing_give_401(sqlite_portal: Portal, credentials: bytes) -> None:
    header = {"Authorization": "Basic " + b64encode(credentials).decode()}
    for path, form in (("/oidc/token", {"grant_type": "refresh_token"}), ("/oidc/revoke", {"token": "x"})):
        assert_refused(sqlite_portal.post(path, form, headers=header), "invalid_client", 401)


def test_a_secret_for_a_secretless_client_gives_401(sqlite_portal: Portal) -> None:
    public = Portal.registered(sqlite_portal.app, "app", public=True)
    assert_refused(public.refresh("x", client_secret="anything"), "invalid_client", 401)
    header = {"Authorization": basic("app", "anything")}
    assert_refused(public.post("/oidc/token", {"grant_type": "refresh_token"}, headers=header), "invalid_client", 401)


def test_unknown_client_and_wrong_secret_are_one_answer(sqlite_portal: Portal) -> None:
    answers = [
        sqlite_portal.post(
            "/oidc/token", {"grant_type": "refresh_token"}, headers={"Authorization": basic(client_id, "wrong")}
        )
        for client_id in ("portal", "nobody")
    ]
    assert answers[0].status_code == answers[1].status_code == 401
    assert answers[0].data == answers[1].data
    assert dict(answers[0].headers) == dict(answers[1].headers)


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_without_its_secret_a_confidential_clients_token_is_not_revoked(sqlite_portal: Portal, name: str) -> None:
    tokens = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))
    form = {"client_id": "portal", "token": tokens[name]}
    assert_refused(sqlite_portal.post("/oidc/revoke", form, headers={}), "invalid_client", 401)
    assert sqlite_portal.introspect(tokens[name])["active"] is True


def test_a_public_client_cannot_revoke_for_another(sqlite_portal: Portal) -> None:
    public = Portal.registered(sqlite_portal.app, "app", public=True)
    tokens = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))
    assert_refused(public.revoke(tokens["refresh_token"]), "invalid_grant")
    assert sqlite_portal.introspect(tokens["refresh_token"])["active"] is True
