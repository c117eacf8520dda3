"""Levels (F3, F6, RFC 9470): what is demanded leads to a step-up, what is wished for is offered once."""

import json

import pytest
from flask import Flask

from idp.persons.model import AccountKind, Person
from idp.sessions import interactions
from idp.store.db import transaction
from tests.oidc.authorize.browser import CALLBACK, Browser, authorization_of, error_in, interaction_in, page_of
from tests.support import rows

ACR = "urn:jingban:acr:"
RAISE = "/raise-level"


@pytest.fixture
def browser(sqlite_app: Flask) -> Browser:
    rows.client(consent_required=False)
    return Browser(sqlite_app)


def essential(*levels: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": [f"{ACR}{level}" for level in levels]}}})


def lift(person_id: str, level: int) -> None:
    with transaction() as session:
        session.get_one(Person, person_id).real_name_level = level


def test_the_true_level_is_stated(browser: Browser) -> None:
    browser.sign_in(rows.person(1, real_name_level=1))
    assert authorization_of(browser.authorize()).acr == f"{ACR}L0"
    browser.sign_in(rows.person(2, real_name_level=3), amr=("pwd", "otp"))
    stored = authorization_of(browser.authorize())
    assert (stored.acr, stored.amr) == (f"{ACR}L2", "mfa otp pwd")


def test_the_client_demands_a_level(browser: Browser) -> None:
    """F3: not met, lifted, met."""
    rows.client("strict", redirect_uris=[CALLBACK], min_person_level=1, consent_required=False)
    person = rows.person(real_name_level=1)
    browser.sign_in(person)
    response = browser.authorize(client_id="strict")
    assert page_of(response) == (RAISE, {"level": "L1"})
    assert error_in(browser.authorize(client_id="strict", prompt="none")) == "interaction_required"
    interaction = interaction_in(response)
    assert page_of(browser.resume(interaction))[0] == RAISE  # coming back as one went does not help
    lift(person, 2)
    assert authorization_of(browser.resume(interaction)).acr == f"{ACR}L1"


def test_an_essential_acr(browser: Browser) -> None:
    """OpenID Connect Core §5.5.1.1: met, or lifted, or an error; never a lower one."""
    person = rows.person(real_name_level=1)
    browser.sign_in(person)
    response = browser.authorize(claims=essential("L1"))
    assert page_of(response) == (RAISE, {"level": "L1"})
    assert error_in(browser.authorize(claims=essential("L1"), prompt="none")) == "interaction_required"
    interactions.refuse(interaction_in(response), "unmet_authentication_requirements")
    assert error_in(browser.resume(interaction_in(response))) == "unmet_authentication_requirements"


@pytest.mark.parametrize(
    ("values", "stated"), [(["L1"], "L1"), (["L0", "L1"], "L1"), (["L3", "L1"], "L1"), (["L2", "L0"], "L2")]
)
def test_an_essential_acr_is_one_of_those_asked_for(browser: Browser, values: list[str], stated: str) -> None:
    """OpenID Connect Core §5.5.1.1: "the Authorization Server MUST return an acr Claim Value that matches"."""
    browser.sign_in(rows.person(real_name_level=3), amr=("pwd", "otp"))
    assert authorization_of(browser.authorize(claims=essential(*values))).acr == f"{ACR}{stated}"


def test_a_voluntary_acr_is_offered_once(browser: Browser) -> None:
    """F6, DESIGN 5: a step-up if the person likes, then the true level."""
    person = rows.person(real_name_level=1)
    browser.sign_in(person)
    response = browser.authorize(acr_values=f"{ACR}L2 {ACR}L1")
    assert page_of(response) == (RAISE, {"level": "L1", "optional": "1"})  # the lowest of them is enough
    assert authorization_of(browser.resume(interaction_in(response))).acr == f"{ACR}L0"
    again = browser.authorize(acr_values=f"{ACR}L1")
    lift(person, 2)
    assert authorization_of(browser.resume(interaction_in(again))).acr == f"{ACR}L1"


def test_a_voluntary_acr_disturbs_nobody(browser: Browser) -> None:
    browser.sign_in(rows.person(real_name_level=1))
    assert authorization_of(browser.authorize(acr_values=f"{ACR}L2", prompt="none")).acr == f"{ACR}L0"
    assert authorization_of(browser.authorize(acr_values="urn:other:loa4")).acr == f"{ACR}L0"
    assert authorization_of(browser.authorize(acr_values=f"{ACR}L0")).acr == f"{ACR}L0"


def test_businesses_demand_a_level_where_acting_is_no_choice(browser: Browser) -> None:
    """F3, C3: below the lowest of them nothing could be done."""
    rows.business("rec.position", min_person_level=2)
    rows.business("rec.fair", min_person_level=1)
    rows.client("units", redirect_uris=[CALLBACK], acts_for="required", consent_required=False)
    browser.sign_in(rows.person(real_name_level=1))
    both = browser.authorize(client_id="units", scope="openid rec.position rec.fair")
    assert page_of(both) == (RAISE, {"level": "L1"})
    one = browser.authorize(client_id="units", scope="openid rec.position")
    assert page_of(one) == (RAISE, {"level": "L2"})


def test_a_unit_account_below_the_trust_level(browser: Browser) -> None:
    """F3: the province lifts units."""
    rows.client("units", redirect_uris=[CALLBACK], allows_unit_accounts=True, min_unit_level=3, consent_required=False)
    browser.sign_in(rows.unit(1, trust_level=2), AccountKind.UNIT)
    assert page_of(browser.authorize(client_id="units")) == (RAISE, {"level": "L3"})
    assert error_in(browser.authorize(client_id="units", prompt="none")) == "interaction_required"
    browser.sign_in(rows.unit(2, trust_level=3), AccountKind.UNIT)
    assert authorization_of(browser.authorize(client_id="units")).kind == "unit"


def test_a_unit_account_that_cannot_reach_an_essential_acr(browser: Browser) -> None:
    rows.client("units", redirect_uris=[CALLBACK], allows_unit_accounts=True, consent_required=False)
    browser.sign_in(rows.unit(), AccountKind.UNIT)
    refused = browser.authorize(client_id="units", claims=essential("L2"))
    assert error_in(refused) == "unmet_authentication_requirements"
