"""Claims by name and by scope, from the request to ID token and UserInfo (OpenID Connect Core §5.4, §5.5)."""

import json
from typing import Any

import pytest
from flask import Flask

from idp.persons.model import AccountKind
from idp.rules.levels import Acr
from tests.oidc.authorize.browser import (
    Browser,
    agreed,
    answer_in,
    authorization_of,
    error_in,
    interaction_in,
    page_of,
)
from tests.oidc.portal import Portal, body_of, claims_in
from tests.support import fictional, rows
from tests.support.signing import plant_keys

SCOPES = ["openid", "profile", "email", "address", "phone", "offline_access"]
CONSENT: tuple[str, dict[str, str]] = ("/consent", {})


class At:
    """A browser with a person in it, and the portal."""

    def __init__(self, app: Flask, **client: Any) -> None:
        plant_keys()
        self.portal = Portal.registered(app, **{"scopes": SCOPES, "acts_for": "never"} | client)
        self.browser = Browser(app)
        self.person_id = rows.person()
        self.browser.sign_in(self.person_id)

    def given(self, claims: dict[str, Any], **changes: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what stands in the ID token and what UserInfo answers."""
        code = answer_in(self.browser.authorize(claims=json.dumps(claims), **changes))["code"]
        tokens = body_of(self.portal.redeem(code))
        return claims_in(tokens["id_token"]), body_of(self.portal.userinfo(tokens["access_token"]))


@pytest.fixture
def at(app: Flask) -> At:
    return At(app, consent_required=False)


def test_each_member_is_answered_where_it_was_asked(at: At) -> None:
    """§5.5: `userinfo` at UserInfo, `id_token` in the ID token, whatever the scope."""
    in_id_token, at_userinfo = at.given(
        {"userinfo": {"name": {"essential": True}}, "id_token": {"phone_number": None, "phone_number_verified": None}}
    )
    assert at_userinfo == {"sub": at.person_id, "name": fictional.person_name(0)}
    assert (in_id_token["phone_number"], in_id_token["phone_number_verified"]) == (fictional.mobile(0), True)
    assert "name" not in in_id_token


def test_a_scope_s_claims_are_userinfo_s_alone(at: At) -> None:
    """§5.4: with a code they come from UserInfo; a claim that is not known is left out and never null."""
    in_id_token, at_userinfo = at.given({}, scope="openid profile email address phone")
    assert not {"name", "preferred_username", "phone_number"} & set(in_id_token)
    assert set(at_userinfo) == {
        "sub",
        "name",
        "preferred_username",
        "real_name_level",
        "phone_number",
        "phone_number_verified",
    }


def test_what_is_not_known_is_ignored(at: At) -> None:
    """§5.5: unknown claims, unknown members and members of a request, values, and language tags (§5.2)."""
    in_id_token, at_userinfo = at.given(
        {
            "userinfo": {
                "name#zh-Hans": None,
                "picture": {"essential": True},
                "preferred_username": {"value": "somebody", "whatever": [1]},
                "email": {"values": ["a@example.org"]},
                "address": None,
            },
            "id_token": {"birthdate": None},
            "elsewhere": {"name": None},
        }
    )
    assert at_userinfo == {"sub": at.person_id, "preferred_username": fictional.login_name(0)}
    assert "birthdate" not in in_id_token


def test_the_sign_in_at_userinfo(at: At) -> None:
    in_id_token, at_userinfo = at.given({"userinfo": {"auth_time": None, "acr": None, "amr": {"essential": True}}})
    assert at_userinfo == {"sub": at.person_id} | {name: in_id_token[name] for name in ("auth_time", "acr", "amr")}
    assert in_id_token["amr"] == ["pwd"]


def test_a_client_gets_no_more_than_its_scopes_stand_for(sqlite_app: Flask) -> None:
    at = At(sqlite_app, consent_required=False, scopes=["openid", "profile"])
    _, at_userinfo = at.given({"userinfo": {"name": None, "phone_number": {"essential": True}}})
    assert at_userinfo == {"sub": at.person_id, "name": fictional.person_name(0)}


def test_the_person_is_asked(app: Flask) -> None:
    """§5.5: claims are released with consent, also those that no scope asked for."""
    at = At(app)
    asked = {"claims": json.dumps({"id_token": {"name": None}, "userinfo": {"phone_number": None}})}
    agreed(at.browser.journey(), at.person_id, scopes=["openid"])
    assert error_in(at.browser.authorize(prompt="none", **asked)) == "consent_required"
    response = at.browser.authorize(**asked)
    assert page_of(response) == CONSENT
    interaction = interaction_in(response)
    agreed(interaction, at.person_id, scopes=["openid", "profile"])
    stored = authorization_of(at.browser.resume(interaction))
    assert (stored.scope, stored.claims) == ("openid", {"id_token": {"name": None}})
    agreed(interaction_in(at.browser.authorize(**asked)), at.person_id, scopes=["phone"])
    assert authorization_of(at.browser.authorize(prompt="none", **asked)).claims == {
        "userinfo": {"phone_number": None},
        "id_token": {"name": None},
    }


def test_the_consent_page_says_it(sqlite_app: Flask) -> None:
    at = At(sqlite_app)
    interaction = at.browser.journey(claims=json.dumps({"userinfo": {"phone_number": None}}))
    page = at.browser.get(f"/consent?interaction={interaction}").text
    assert "查看手机号" in page
    assert "查看基本信息" not in page
    assert 'value="openid phone"' in page


def test_the_seat_of_a_unit(sqlite_app: Flask) -> None:
    """§5.1.1: what is on record is its province, city and district."""
    at = At(sqlite_app, consent_required=False, allows_unit_accounts=True)
    unit_id = rows.unit(3)
    at.browser.sign_in(unit_id, AccountKind.UNIT)
    _, at_userinfo = at.given({}, scope="openid address")
    assert at_userinfo == {
        "sub": unit_id,
        "address": {
            "formatted": "广东省江门市蓬江区",
            "region": "广东省",
            "locality": "江门市蓬江区",
            "country": "CN",
        },
    }


# --- sub, acr and auth_time by value; the client's defaults --------------------------------------------------------


@pytest.mark.parametrize("member", ["id_token", "userinfo"])
def test_sub_by_value(at: At, member: str) -> None:
    """§5.5.1: a positive answer for that subject only."""
    other = rows.person(2)
    wants_other = json.dumps({member: {"sub": {"value": other}}})
    assert error_in(at.browser.authorize(claims=wants_other, prompt="none")) == "login_required"
    assert page_of(at.browser.authorize(claims=wants_other)) == ("/sign-in", {})
    at.given({member: {"sub": {"value": at.person_id}}}, prompt="none")


def test_two_subjects_are_none(at: At) -> None:
    claims = {"id_token": {"sub": {"value": "p_1"}}, "userinfo": {"sub": {"values": ["p_2"]}}}
    assert error_in(at.browser.authorize(claims=json.dumps(claims))) == "invalid_request"


def test_auth_time_is_always_there(at: At) -> None:
    """§2: REQUIRED with max_age, `require_auth_time` or an essential request; ours has it in any case."""
    for claims in ({}, {"id_token": {"auth_time": {"essential": True}}}):
        in_id_token, _ = at.given(claims, max_age="1000")
        assert isinstance(in_id_token["auth_time"], int)


def test_default_max_age(sqlite_app: Flask) -> None:
    """Dynamic Client Registration §2; `max_age` of the request overrides it."""
    at = At(sqlite_app, consent_required=False, more={"default_max_age": 0})
    assert error_in(at.browser.authorize(prompt="none")) == "login_required"
    at.given({}, prompt="none", max_age="600")


def test_default_acr_values(sqlite_app: Flask) -> None:
    """Dynamic Client Registration §2: voluntary; `acr_values` and an `acr` by name override them."""
    at = At(sqlite_app, consent_required=False, more={"default_acr_values": [Acr.L2.urn]})
    assert page_of(at.browser.authorize()) == ("/raise-level", {"level": "L2", "optional": "1"})
    assert at.given({}, acr_values=Acr.L1.urn)[0]["acr"] == Acr.L1.urn
    assert at.given({"id_token": {"acr": {"value": Acr.L0.urn}}})[0]["acr"] == Acr.L1.urn


# --- prompt=create --------------------------------------------------------------------------------------------------


def test_create_leads_to_registration_and_back(at: At) -> None:
    """Initiating User Registration 1.0 §4: whoever is signed in already is led there too."""
    response = at.browser.authorize(prompt="create")
    assert page_of(response) == ("/register/person", {})
    interaction = interaction_in(response)
    assert at.browser.get(response.headers["Location"]).status_code == 200
    done = at.browser.get(f"/register/person/done?interaction={interaction}")
    assert f"/sign-in?interaction={interaction}" in done.text
    new = rows.person(2)
    at.browser.sign_in(new)
    assert authorization_of(at.browser.resume(interaction)).subject_id == new


def test_create_and_none_exclude_each_other(at: At) -> None:
    assert error_in(at.browser.authorize(prompt="create none")) == "invalid_request"
