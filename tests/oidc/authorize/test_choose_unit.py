"""For whom the person acts (C1–C5, DESIGN 4): certain units, the chooser, silent renewal, and what is granted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from idp import clock
from idp.delegation import bindings, grants
from idp.oidc.tokens import jws
from idp.persons.model import AccountStatus
from idp.sessions import interactions
from idp.settings import settings
from tests.oidc.authorize.browser import (
    CALLBACK,
    Browser,
    authorization_of,
    chose,
    error_in,
    interaction_in,
    page_of,
)
from tests.support import fictional, rows
from tests.support.signing import plant_keys

CHOOSER = "/choose-unit"
BUSINESS = "openid rec.position"


class World:
    """A person bound to two units, granted one business by the first."""

    def __init__(self, app: Flask, acts_for: str = "required") -> None:
        for code in ("rec.position", "rec.fair"):
            rows.business(code)
        rows.client(acts_for=acts_for, consent_required=False)
        self.person, self.unit, self.other = rows.person(), rows.unit(1), rows.unit(2)
        self.binding = rows.binding(self.unit, self.person)
        rows.binding(self.other, self.person)
        rows.grant(self.binding, "rec.position")
        self.browser = Browser(app)
        self.session_id = self.browser.sign_in(self.person)

    def ask(self, **changes: Any) -> Any:
        return self.browser.authorize(**changes)


@pytest.fixture
def world(sqlite_app: Flask) -> World:
    return World(sqlite_app)


@pytest.fixture
def optional(sqlite_app: Flask) -> World:
    return World(sqlite_app, "optional")


def delegation(**detail: object) -> str:
    return json.dumps([{"type": "unit_delegation"} | detail])


# --- what is granted (C2, C3) --------------------------------------------------------------------------------------


def test_the_chosen_unit_and_what_it_granted(app: Flask) -> None:
    """C2, C3: asked ∩ allowed to the portal ∩ granted by the unit; the person stays the subject."""
    world = World(app)
    response = world.ask(scope="openid profile rec.fair rec.position")
    assert page_of(response) == (CHOOSER, {})
    chose(interaction_in(response), world.unit)
    stored = authorization_of(world.browser.resume(interaction_in(response)))
    assert (stored.kind, stored.subject_id, stored.unit_id) == ("person", world.person, world.unit)
    assert (stored.scope, stored.businesses) == ("openid profile rec.position", "rec.position")


def test_a_unit_that_granted_nothing_asked_for(world: World) -> None:
    """The chooser comes back with the reason, never an answer without a business."""
    interaction = interaction_in(world.ask(scope=BUSINESS))
    chose(interaction, world.other)
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {"reason": "not_granted"})
    chose(interaction, world.unit)
    assert authorization_of(world.browser.resume(interaction)).unit_id == world.unit


def test_a_unit_that_never_bound_the_person(world: World) -> None:
    """A tampered choice gives nothing."""
    interaction = interaction_in(world.ask(scope=BUSINESS))
    chose(interaction, rows.unit(3))
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {"reason": "not_bound"})
    chose(interaction, "u_nonexistent")
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {"reason": "not_bound"})


def test_a_client_that_asks_for_no_business(world: World) -> None:
    """It asks only whether the person may appear for the unit."""
    interaction = interaction_in(world.ask())
    chose(interaction, world.other)
    stored = authorization_of(world.browser.resume(interaction))
    assert (stored.unit_id, stored.businesses) == (world.other, "")


@pytest.mark.parametrize("what", ["unbound", "withdrawn"])
def test_what_is_lost_between_choice_and_answer(world: World, what: str) -> None:
    """U13: the chooser's answer of a minute ago counts for nothing."""
    interaction = interaction_in(world.ask(scope=BUSINESS))
    chose(interaction, world.unit)
    if what == "unbound":
        bindings.unbind(world.unit, world.binding)
    else:
        grants.withdraw(world.unit, world.binding, "rec.position")
    reason = {"unbound": "not_bound", "withdrawn": "not_granted"}[what]
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {"reason": reason})


def test_a_grant_outside_its_window(world: World, moved_clock) -> None:
    rows.grant(rows.binding(rows.unit(5), world.person), "rec.fair", clock.now() + timedelta(minutes=5))
    unit = fictional.uscc(5)
    assert authorization_of(world.ask(scope="openid rec.fair", org_hint=unit)).businesses == "rec.fair"
    moved_clock.advance(timedelta(minutes=6))
    assert page_of(world.ask(scope="openid rec.fair", org_hint=unit)) == (CHOOSER, {"reason": "expired"})


def test_a_business_that_only_the_delegation_names(world: World) -> None:
    """RFC 9396: `actions` ask for businesses as scope does."""
    response = world.ask(authorization_details=delegation(actions=["rec.position"]), org_hint=fictional.uscc(1))
    assert authorization_of(response).scope == "openid rec.position"


# --- a certain unit ------------------------------------------------------------------------------------------------


def test_org_hint_of_a_usable_unit_needs_no_page(world: World) -> None:
    """C4, DESIGN 4."""
    assert authorization_of(world.ask(scope=BUSINESS, org_hint=fictional.uscc(1))).unit_id == world.unit
    silent = world.ask(scope=BUSINESS, org_hint=fictional.uscc(1), prompt="none")
    assert authorization_of(silent).unit_id == world.unit


def test_org_hint_of_a_unit_that_cannot_be_used(world: World) -> None:
    response = world.ask(scope=BUSINESS, org_hint=fictional.uscc(2))
    assert page_of(response) == (CHOOSER, {"reason": "not_granted"})
    silent = world.ask(scope=BUSINESS, org_hint=fictional.uscc(2), prompt="none")
    assert error_in(silent) == "account_selection_required"


def test_org_hint_tells_nobody_whether_a_unit_is_registered(world: World) -> None:
    """U4: a unit that exists and one that does not are answered alike."""
    rows.unit(3)
    exists, unknown = (world.ask(scope=BUSINESS, org_hint=fictional.uscc(number)) for number in (3, 99))
    assert page_of(exists) == page_of(unknown) == (CHOOSER, {"reason": "not_bound"})
    silent = [world.ask(scope=BUSINESS, org_hint=fictional.uscc(number), prompt="none") for number in (3, 99)]
    assert [error_in(each) for each in silent] == ["account_selection_required"] * 2


def test_the_identifier_of_a_delegation(world: World) -> None:
    response = world.ask(authorization_details=delegation(actions=["rec.position"], identifier=world.unit))
    assert authorization_of(response).unit_id == world.unit
    stranger = rows.unit(3)
    response = world.ask(authorization_details=delegation(actions=["rec.position"], identifier=stranger))
    assert page_of(response) == (CHOOSER, {"reason": "not_bound"})


def test_select_account_shows_the_chooser_also_for_a_certain_unit(world: World) -> None:
    """C4: switching."""
    response = world.ask(scope=BUSINESS, org_hint=fictional.uscc(1), prompt="select_account")
    assert page_of(response) == (CHOOSER, {})
    chose(interaction_in(response), world.unit)
    assert authorization_of(world.browser.resume(interaction_in(response))).unit_id == world.unit


def test_a_locked_unit(world: World) -> None:
    unit = rows.unit(7, status=AccountStatus.LOCKED)
    rows.grant(rows.binding(unit, world.person), "rec.position")
    response = world.ask(scope=BUSINESS, org_hint=fictional.uscc(7))
    assert page_of(response) == (CHOOSER, {"reason": "unit_inactive"})


def test_a_unit_without_uscc_where_one_is_demanded(world: World) -> None:
    """F5 holds for units that are acted for, too."""
    rows.client("strict", redirect_uris=[CALLBACK], acts_for="required", uscc_only=True, consent_required=False)
    old = rows.unit(8, document_type="org_code", document_number=fictional.org_code(8))
    rows.grant(rows.binding(old, world.person), "rec.position")
    interaction = interaction_in(world.ask(client_id="strict", scope=BUSINESS))
    chose(interaction, old)
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {"reason": "needs_uscc"})


# --- never, optional, required -------------------------------------------------------------------------------------


def test_a_client_that_never_acts(sqlite_app: Flask) -> None:
    """Its users get no business, ticked box or not (U7, C3)."""
    world = World(sqlite_app, "never")
    stored = authorization_of(world.ask(scope="openid profile rec.position"))
    assert (stored.unit_id, stored.scope, stored.businesses) == (None, "openid profile", "")
    interaction = interaction_in(world.ask(prompt="login"))
    session_id = world.browser.sign_in(world.person)
    interactions.signed_in(interaction, session_id, as_unit=True)
    assert authorization_of(world.browser.resume(interaction)).unit_id is None


def test_optional_without_a_wish_is_oneself(optional: World) -> None:
    assert authorization_of(optional.ask(scope="openid profile")).unit_id is None


@pytest.mark.parametrize(
    "wish", [{"scope": BUSINESS}, {"authorization_details": delegation()}, {"prompt": "select_account"}]
)
def test_optional_with_a_wish_of_the_client_shows_the_chooser(optional: World, wish: dict) -> None:
    response = optional.ask(**wish)
    assert page_of(response) == (CHOOSER, {})
    chose(interaction_in(response))
    stored = authorization_of(optional.browser.resume(interaction_in(response)))
    assert (stored.unit_id, stored.businesses) == (None, "")


def test_optional_with_the_tick(optional: World) -> None:
    """C1 「以单位身份登录」: the person's own wish."""
    interaction = interaction_in(optional.ask(prompt="login"))
    session_id = optional.browser.sign_in(optional.person)
    interactions.signed_in(interaction, session_id, as_unit=True)
    assert page_of(optional.browser.resume(interaction)) == (CHOOSER, {})


def test_whoever_has_no_unit_is_not_asked_to_choose(optional: World) -> None:
    optional.browser.sign_in(rows.person(9))
    assert authorization_of(optional.ask(scope=BUSINESS)).unit_id is None


@pytest.mark.parametrize("acts_for", ["optional", "required"])
def test_whoever_has_no_unit_and_wants_or_must_act_is_told_so(sqlite_app: Flask, acts_for: str) -> None:
    """C5: the chooser says so and how to get bound."""
    world = World(sqlite_app, acts_for)
    stranger = rows.person(9)
    world.browser.sign_in(stranger)
    interaction = interaction_in(world.ask(prompt="login"))
    interactions.signed_in(interaction, world.browser.sign_in(stranger), as_unit=acts_for == "optional")
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {})
    interactions.refuse(interaction)
    assert error_in(world.browser.resume(interaction)) == "access_denied"


@pytest.mark.parametrize("must", [{}, {"authorization_details": delegation(representation_required=True)}])
def test_oneself_is_no_answer_where_one_must_act(sqlite_app: Flask, must: dict) -> None:
    world = World(sqlite_app, "optional" if must else "required")
    interaction = interaction_in(world.ask(**must))
    chose(interaction)  # tampered: the page does not offer it
    assert page_of(world.browser.resume(interaction)) == (CHOOSER, {})


# --- prompt=none ---------------------------------------------------------------------------------------------------


def test_silent_without_anything_remembered(world: World, optional_client: str) -> None:
    assert error_in(world.ask(prompt="none")) == "account_selection_required"
    asked = {"client_id": optional_client, "prompt": "none"}
    assert error_in(world.ask(scope=BUSINESS, **asked)) == "account_selection_required"
    assert authorization_of(world.ask(**asked)).unit_id is None


@pytest.fixture
def optional_client() -> str:
    return rows.client("free", redirect_uris=[CALLBACK], acts_for="optional", consent_required=False)


def test_silent_renewal_keeps_the_unit_of_this_session_at_this_client(world: World) -> None:
    """The choice belongs to the grant, so unit A's renewal never becomes unit B's."""
    plant_keys()
    first = authorization_of(world.ask(scope=BUSINESS, org_hint=fictional.uscc(1)))
    assert authorization_of(world.ask(scope=BUSINESS, prompt="none")).unit_id == world.unit
    second = authorization_of(world.ask(org_hint=fictional.uscc(2)))
    assert error_in(world.ask(prompt="none")) == "account_selection_required"  # two: which?
    for authorization, unit in ((first, world.unit), (second, world.other)):
        claims = {"iss": settings().issuer, "aud": "portal", "sub": world.person}
        hint = jws.sign(claims | {"sid": authorization.portal_session_id}, alg="RS256", typ="JWT")
        assert authorization_of(world.ask(prompt="none", id_token_hint=hint)).unit_id == unit


def test_silent_renewal_after_another_sign_in_of_another_person(world: World) -> None:
    authorization_of(world.ask(scope=BUSINESS, org_hint=fictional.uscc(1)))
    world.browser.sign_in(rows.person(9))
    assert error_in(world.ask(scope=BUSINESS, prompt="none")) == "account_selection_required"


def test_silent_renewal_after_the_grant_was_withdrawn(world: World) -> None:
    """U13."""
    authorization_of(world.ask(scope=BUSINESS, org_hint=fictional.uscc(1)))
    grants.withdraw(world.unit, world.binding, "rec.position")
    assert error_in(world.ask(scope=BUSINESS, prompt="none")) == "account_selection_required"
