"""Consent (OpenID Connect Core §3.1.2.4) and offline access (§11)."""

import pytest
from flask import Flask

from idp.persons.model import AccountKind
from idp.sessions import interactions
from tests.oidc.authorize.browser import (
    CALLBACK,
    Browser,
    agreed,
    authorization_of,
    chose,
    error_in,
    interaction_in,
    page_of,
)
from tests.support import fictional, rows

CONSENT = ("/consent", {})


@pytest.fixture
def browser(app: Flask) -> Browser:
    rows.client(scopes=["openid", "profile", "phone", "offline_access", "rec.position"])
    return Browser(app)


def test_consent_is_asked_once_for_what_is_new(browser: Browser) -> None:
    person = rows.person()
    browser.sign_in(person)
    response = browser.authorize(scope="openid profile")
    assert page_of(response) == CONSENT
    assert error_in(browser.authorize(scope="openid profile", prompt="none")) == "consent_required"
    interaction = interaction_in(response)
    assert page_of(browser.resume(interaction)) == CONSENT
    agreed(interaction, person, scopes=["openid", "profile"])
    assert authorization_of(browser.resume(interaction)).scope == "openid profile"
    assert authorization_of(browser.authorize(scope="openid")).scope == "openid"
    assert authorization_of(browser.authorize(scope="openid profile", prompt="none")).scope == "openid profile"
    assert page_of(browser.authorize(scope="openid profile phone")) == CONSENT


def test_consent_is_each_person_s_own(browser: Browser) -> None:
    person = rows.person()
    browser.sign_in(person)
    agreed(interaction_in(browser.authorize()), person, scopes=["openid"])
    browser.sign_in(rows.person(2))
    assert page_of(browser.authorize()) == CONSENT


def test_consent_for_oneself_says_nothing_about_a_unit(browser: Browser) -> None:
    rows.business("rec.position")
    person, units = rows.person(), [rows.unit(1), rows.unit(2)]
    for unit in units:
        rows.grant(rows.binding(unit, person), "rec.position")
    browser.sign_in(person)
    agreed(interaction_in(browser.authorize()), person, scopes=["openid", "rec.position"])
    asked = {"scope": "openid rec.position"}
    first = browser.authorize(**asked, org_hint=fictional.uscc(1))
    assert page_of(first) == CONSENT
    agreed(interaction_in(first), person, units[0], scopes=["openid", "rec.position"])
    assert authorization_of(browser.resume(interaction_in(first))).unit_id == units[0]
    assert page_of(browser.authorize(**asked, org_hint=fictional.uscc(2))) == CONSENT


def test_choosing_another_unit_asks_anew(browser: Browser) -> None:
    person, first, second = rows.person(), rows.unit(1), rows.unit(2)
    for unit in (first, second):
        rows.binding(unit, person)
    browser.sign_in(person)
    interaction = browser.journey(prompt="select_account")
    chose(interaction, first)
    assert page_of(browser.resume(interaction)) == CONSENT
    agreed(interaction, person, first, scopes=["openid"])
    chose(interaction, second)
    assert page_of(browser.resume(interaction)) == CONSENT


def test_only_what_was_agreed_to_is_granted(browser: Browser) -> None:
    """A page that showed less, or a grant that came meanwhile, widens nothing."""
    rows.business("rec.position")
    person, unit = rows.person(), rows.unit()
    rows.grant(rows.binding(unit, person), "rec.position")
    browser.sign_in(person)
    response = browser.authorize(scope="openid profile rec.position", org_hint=fictional.uscc(1))
    agreed(interaction_in(response), person, unit, scopes=["profile"])
    stored = authorization_of(browser.resume(interaction_in(response)))
    assert (stored.scope, stored.businesses) == ("openid profile", "")


def test_prompt_consent_asks_also_who_agreed_before(browser: Browser) -> None:
    """OpenID Connect Core §3.1.2.1; also at a client that needs none."""
    person = rows.person()
    rows.client("own", redirect_uris=[CALLBACK], consent_required=False)
    browser.sign_in(person)
    agreed(interaction_in(browser.authorize()), person, scopes=["openid"])
    for client_id in ("portal", "own"):
        interaction = browser.journey(client_id=client_id, prompt="consent")
        assert page_of(browser.resume(interaction)) == CONSENT
        agreed(interaction, person, scopes=["openid"])
        assert authorization_of(browser.resume(interaction)).client_id == client_id


def test_a_denial_reaches_the_portal(browser: Browser) -> None:
    """RFC 6749 §4.1.2.1 access_denied."""
    browser.sign_in(rows.person())
    interaction = browser.journey()
    interactions.refuse(interaction)
    assert error_in(browser.resume(interaction)) == "access_denied"
    assert browser.resume(interaction).status_code == 400


def test_a_client_of_the_same_body_needs_none(browser: Browser) -> None:
    rows.client("own", redirect_uris=[CALLBACK], consent_required=False)
    browser.sign_in(rows.person())
    assert authorization_of(browser.authorize(client_id="own", scope="openid profile")).scope == "openid profile"


def test_a_unit_account_consents_too(browser: Browser) -> None:
    rows.client("units", redirect_uris=[CALLBACK], allows_unit_accounts=True)
    unit = rows.unit()
    browser.sign_in(unit, AccountKind.UNIT)
    response = browser.authorize(client_id="units")
    assert page_of(response) == CONSENT
    agreed(interaction_in(response), unit, scopes=["openid"])
    assert authorization_of(browser.resume(interaction_in(response))).subject_id == unit


# --- offline access ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "grant_types", "prompt", "granted"),
    [
        ("client_secret_basic", ["authorization_code", "refresh_token"], None, True),
        ("client_secret_basic", ["authorization_code"], "consent", False),
        ("none", ["authorization_code", "refresh_token"], None, False),
        ("none", ["authorization_code", "refresh_token"], "consent", True),
    ],
)
def test_offline_access(
    browser: Browser, method: str, grant_types: list[str], prompt: str | None, granted: bool
) -> None:
    """§11: with prompt=consent, or for a confidential client that is registered for it; else it is ignored."""
    rows.client(
        "app",
        redirect_uris=[CALLBACK],
        scopes=["openid", "offline_access"],
        token_endpoint_auth_method=method,
        grant_types=grant_types,
        consent_required=False,
    )
    person = rows.person()
    browser.sign_in(person)
    response = browser.authorize(client_id="app", scope="openid offline_access", prompt=prompt)
    if prompt:
        agreed(interaction_in(response), person, scopes=["openid", "offline_access"])
        response = browser.resume(interaction_in(response))
    assert ("offline_access" in authorization_of(response).scope.split()) == granted
