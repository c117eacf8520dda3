"""Pairwise subjects (OpenID Connect Core §8): what a person is called in one sector says nothing in another."""

import json
from typing import Any

import pytest
from flask import Flask

from idp.clients import registration, registry
from idp.clients.description import NewClient
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.gateways import fetch
from idp.oidc import backchannel_logout, sector_identifier
from idp.persons.model import AccountKind
from idp.store.vault import Vault
from tests.oidc.authorize.browser import Browser, answer_in, error_in, page_of
from tests.oidc.portal import Portal, body_of, claims_in
from tests.oidc.registration.registrar import initial_token, post
from tests.oidc.servers import portal as web_server
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.signing import plant_keys

PAIRWISE = {"subject_type": "pairwise"}


def _portal(app: Flask, client_id: str, **changes: Any) -> Portal:
    values: dict[str, Any] = {"more": PAIRWISE, "consent_required": False}
    return Portal.registered(app, client_id, **values | changes)


class Told:
    """Everything that a portal is told of a person, for themselves and for a unit."""

    def __init__(self, portal: Portal, person_id: str, unit_id: str) -> None:
        own = portal.tokens(portal.granted(person_id, scope="openid"))
        acting = portal.tokens(portal.granted(person_id, unit_id, "rec.position"))
        self.own, self.acting = own, acting
        self.everything = [
            tell
            for tokens in (own, acting)
            for tell in (
                claims_in(tokens["id_token"]),
                claims_in(tokens["access_token"]),
                body_of(portal.userinfo(tokens["access_token"])),
                portal.introspect(tokens["access_token"]),
                portal.introspect(tokens["refresh_token"]),
                claims_in(portal.refreshed(tokens["refresh_token"])["id_token"]),
            )
        ]

    @property
    def sub(self) -> str:
        """The one name that the person has here."""
        found = {tell["act"]["sub"] if "act" in tell else tell["sub"] for tell in self.everything}
        assert len(found) == 1, found
        return str(found.pop())


@pytest.fixture
def agent(app: Flask) -> tuple[str, str]:
    """An agent and a unit."""
    plant_keys()
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    return person_id, unit_id


def test_two_sectors_share_nothing(app: Flask, agent: tuple[str, str]) -> None:
    """§8.1: one name at each portal, wherever it stands, and no id of the person or of the binding in both."""
    told = [Told(_portal(app, name), *agent) for name in ("one", "other")]
    assert told[0].sub != told[1].sub
    assert all(each.sub.startswith("p_") and len(each.sub) == 45 for each in told)
    texts = [json.dumps(each.everything) for each in told]
    assert all(agent[0] not in text for text in texts)
    bindings = [claims_in(each.acting["id_token"])["acting_for"]["binding"] for each in told]
    assert bindings[0] != bindings[1]
    assert all(binding.startswith("b_") for binding in bindings)


def test_units_are_public(app: Flask, agent: tuple[str, str]) -> None:
    told = Told(_portal(app, "one"), *agent)
    assert claims_in(told.acting["access_token"])["sub"] == agent[1]
    assert claims_in(told.acting["id_token"])["acting_for"]["sub"] == agent[1]
    portal = _portal(app, "units")
    grant = portal.granted(agent[1], kind=AccountKind.UNIT)
    assert claims_in(portal.tokens(grant)["id_token"])["sub"] == agent[1]


def test_one_sector_is_one_name(app: Flask, agent: tuple[str, str]) -> None:
    """§8.1: the host of the redirect URIs, or of the sector_identifier_uri; a public client has the id itself."""
    shared = "https://sector.example/clients.json"
    one = _portal(app, "one", more=PAIRWISE | {"sector_identifier_uri": shared})
    two = _portal(app, "two", more=PAIRWISE | {"sector_identifier_uri": shared})
    alone = _portal(app, "alone")
    same_host = _portal(app, "same", redirect_uris=["https://alone.example/other"])
    public = _portal(app, "public", more={})
    subs = {each.client_id: _sub_at(each, agent[0]) for each in (one, two, alone, same_host, public)}
    assert subs["one"] == subs["two"] != subs["alone"] == subs["same"]
    assert subs["public"] == agent[0]


def _sub_at(portal: Portal, person_id: str) -> str:
    found = registry.find(portal.client_id)
    assert found is not None
    uri = found.redirect_uris[0]
    code = portal.code_for(portal.granted(person_id), redirect_uri=uri)
    return str(claims_in(body_of(portal.redeem(code, redirect_uri=uri))["id_token"])["sub"])


def test_another_key_is_another_name(app: Flask) -> None:
    """§8.1: nobody without the provider's secret can compute it."""
    one, other = (Vault("k", {"k": bytes(32)}, bytes([n]) * 32, bytes(32)) for n in (1, 2))
    assert one.lookup("oidc.pairwise", "a.example\0p_1") != other.lookup("oidc.pairwise", "a.example\0p_1")


def test_opaque_tokens_too(app: Flask, agent: tuple[str, str]) -> None:
    portal = _portal(app, "one", access_token_format="opaque")
    tokens = portal.tokens(portal.granted(*agent, "rec.position"))
    assert portal.introspect(tokens["access_token"])["act"]["sub"] == claims_in(tokens["id_token"])["sub"] != agent[0]


def test_logout_tokens_too(app: Flask, agent: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-Channel Logout 1.0 §2.4: `sub` as in the ID token."""
    portal = _portal(app, "one")
    sub = claims_in(portal.tokens(portal.granted(agent[0]))["id_token"])["sub"]
    sent: list[dict[str, str]] = []

    def post_form(_url: str, fields: dict[str, str]) -> Any:
        sent.append(fields)
        return type("Answer", (), {"status": 200})

    monkeypatch.setattr(fetch, "post_form", post_form)
    backchannel_logout.deliver("m_1", {"client_id": "one", "subject_id": agent[0], "sid": "ps_1"})
    assert claims_in(sent[0]["logout_token"])["sub"] == sub


# --- the way back ---------------------------------------------------------------------------------------------------


def test_who_is_named_is_found(sqlite_app: Flask) -> None:
    """§3.1.2.1 `id_token_hint`, §5.5.1 `sub` by value: in the client's own words."""
    plant_keys()
    portal = _portal(sqlite_app, "portal", acts_for="never")
    browser, person_id = Browser(sqlite_app), rows.person()
    browser.sign_in(person_id)
    tokens = body_of(portal.redeem(answer_in(browser.authorize())["code"]))
    sub = claims_in(tokens["id_token"])["sub"]
    assert sub != person_id
    for named in ({"id_token_hint": tokens["id_token"]}, {"claims": _sub(sub)}):
        assert "code" in answer_in(browser.authorize(prompt="none", **named))
    assert error_in(browser.authorize(prompt="none", claims=_sub(person_id))) == "login_required"
    browser.sign_in(rows.person(2))
    assert error_in(browser.authorize(prompt="none", id_token_hint=tokens["id_token"])) == "login_required"


def test_logout_by_hint(sqlite_app: Flask) -> None:
    """RP-Initiated Logout 1.0 §2: the hint is of this session, so nobody is asked."""
    bye = "https://portal.example/bye"
    plant_keys()
    portal = _portal(sqlite_app, "portal", acts_for="never", post_logout_redirect_uris=[bye])
    browser = Browser(sqlite_app)
    browser.sign_in(rows.person())
    tokens = body_of(portal.redeem(answer_in(browser.authorize())["code"]))
    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": bye}
    confirm = browser.http.get("/oidc/end_session", query_string=query).headers["Location"]
    assert browser.get(confirm).headers.get("Location") == bye
    assert page_of(browser.authorize()) == ("/sign-in", {})


# --- sector_identifier_uri (Registration §5) ------------------------------------------------------------------------


def _described(port: int, *redirect_uris: str) -> NewClient:
    uri = f"http://127.0.0.1:{port}/sector.json"
    return NewClient(
        "portal",
        "门户",
        redirect_uris,
        protocol=ProtocolMetadata(subject_type="pairwise", sector_identifier_uri=uri),
    )


@pytest.mark.parametrize(
    ("status", "content", "is_right"),
    [
        (200, b'["https://a.example/cb", "https://b.example/cb", "https://c.example/cb"]', True),
        (200, b'["https://a.example/cb"]', False),
        (200, b'{"https://a.example/cb": 1, "https://b.example/cb": 1}', False),
        (200, b'["https://a.example/cb", "https://b.example/cb", 7]', False),
        (200, b"not json", False),
        (404, b'["https://a.example/cb", "https://b.example/cb"]', False),
        (302, b'["https://a.example/cb", "https://b.example/cb"]', False),
    ],
)
def test_the_document_lists_every_redirect_uri(
    make_app: MakeApp, migrated_sqlite_url: str, status: int, content: bytes, is_right: bool
) -> None:
    app = make_app(migrated_sqlite_url, fetch_allow_loopback=True)
    with app.app_context(), web_server() as sector:
        sector.answer = lambda _path: (status, {"Content-Type": "application/json"}, content)
        client = _described(sector.port, "https://a.example/cb", "https://b.example/cb")
        registration.check(client)
        if is_right:
            sector_identifier.check(client)
        else:
            with pytest.raises(ClientMetadataInvalid):
                sector_identifier.check(client)
        own = client.protocol.model_dump(mode="json")
        body = {name: own[name] for name in ("subject_type", "sector_identifier_uri")}
        answer = post(app, body | {"redirect_uris": list(client.redirect_uris)}, initial_token())
        assert answer.status_code == (201 if is_right else 400)


def test_two_hosts_without_it_are_refused(sqlite_app: Flask) -> None:
    body = {"subject_type": "pairwise", "redirect_uris": ["https://a.example/cb", "https://b.example/cb"]}
    assert body_of(post(sqlite_app, body, initial_token()))["error"] == "invalid_client_metadata"


def _sub(value: str) -> str:
    return json.dumps({"id_token": {"sub": {"value": value}}})
