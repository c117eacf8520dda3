"""Every route says who may call it, and nobody else gets in (DESIGN 8).

The walk knows no route by name: a new one is walked as soon as it is registered, and fails here until it states an
access rule.
"""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import TestResponse

from idp.persons.model import AccountKind
from idp.web import Access
from tests.support import rows
from tests.support.application import MakeApp

GUARDED = {Access.PERSON, Access.UNIT, Access.SIGNED_IN}
WRONG_KIND = {Access.PERSON: AccountKind.UNIT, Access.UNIT: AccountKind.PERSON}
SAFE, CHANGING = "GET", "POST"
NO_SUCH = "b_00000000"


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Flask:
    return make_app(migrated_sqlite_url)


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A browser in which nobody is signed in."""
    return app.test_client()


def access_of(app: Flask, rule: Rule) -> Access | None:
    found: Access | None = getattr(app.view_functions[rule.endpoint], "access", None)
    return found


def guarded(app: Flask, method: str, *kinds: Access) -> Iterator[tuple[str, str]]:
    """Yield name and address of every route of these kinds that takes `method`."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and access_of(app, rule) in (kinds or GUARDED):
            yield rule.endpoint, address_of(app, rule)


def address_of(app: Flask, rule: Rule) -> str:
    """Return an address that the rule takes, whatever its arguments."""
    values = {
        name: 1 if isinstance(converter, IntegerConverter) else NO_SUCH for name, converter in rule._converters.items()
    }
    return app.url_map.bind("localhost").build(rule.endpoint, values)


def token_of(visitor: FlaskClient) -> str:
    """Return a CSRF token of this browser, from the question before sign-out, or from sign-in where that leads."""
    page = visitor.get("/sign-out", follow_redirects=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def call(visitor: FlaskClient, method: str, address: str) -> TestResponse:
    if method == SAFE:
        return visitor.get(address)
    return visitor.post(address, data={"csrf_token": token_of(visitor)})


def sign_in(app: Flask, kind: AccountKind) -> FlaskClient:
    """Return a browser in which a person or a unit is signed in."""
    visitor = app.test_client()
    with app.app_context():
        subject_id = rows.person() if kind is AccountKind.PERSON else rows.unit()
        visitor.set_cookie("jingban_session", rows.signed_in(subject_id, kind))
    return visitor


def silent(app: Flask) -> set[str]:
    """Return the names of the routes that state no access rule."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule) is None}


def test_every_route_states_who_may_call_it(app: Flask) -> None:
    assert silent(app) == set(), "routes without @access"


def test_a_route_that_states_nothing_is_found(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    assert silent(app) == {"forgotten"}


def test_the_walk_finds_routes(app: Flask) -> None:
    """A walk over nothing proves nothing."""
    for kind in GUARDED:
        assert list(guarded(app, SAFE, kind)), kind
        assert list(guarded(app, CHANGING, kind)), kind


@pytest.mark.parametrize("method", [SAFE, CHANGING])
def test_without_a_session_every_guarded_route_leads_to_sign_in(app: Flask, visitor: FlaskClient, method: str) -> None:
    for endpoint, address in guarded(app, method):
        answer = call(visitor, method, address)
        assert answer.status_code == 302, endpoint
        assert answer.headers["Location"].startswith("/sign-in"), endpoint
        # After a GET the page that was asked for comes next; what was posted is not posted again.
        assert ("next=" in answer.headers["Location"]) is (method == SAFE), endpoint


def test_units_are_led_to_their_own_tab(app: Flask, visitor: FlaskClient) -> None:
    for endpoint, address in guarded(app, SAFE, Access.UNIT):
        assert "tab=unit" in visitor.get(address).headers["Location"], endpoint


@pytest.mark.parametrize("method", [SAFE, CHANGING])
@pytest.mark.parametrize("kind", list(WRONG_KIND))
def test_the_wrong_kind_of_account_is_refused(app: Flask, kind: Access, method: str) -> None:
    visitor = sign_in(app, WRONG_KIND[kind])
    for endpoint, address in guarded(app, method, kind):
        assert call(visitor, method, address).status_code == 403, endpoint


@pytest.mark.parametrize("kind", [AccountKind.PERSON, AccountKind.UNIT])
def test_nothing_is_changed_without_the_forms_token(app: Flask, kind: AccountKind) -> None:
    """A page of another site cannot make a signed-in browser change anything."""
    visitor = sign_in(app, kind)
    for endpoint, address in guarded(app, CHANGING):
        assert visitor.post(address).status_code == 400, endpoint


def test_no_guarded_route_fails_for_its_own_kind(app: Flask) -> None:
    """Whatever stands in the address, a signed-in caller gets a page or a refusal, never a 500."""
    for kind in (AccountKind.PERSON, AccountKind.UNIT):
        visitor = sign_in(app, kind)
        for method in (SAFE, CHANGING):
            for endpoint, address in guarded(app, method):
                assert call(visitor, method, address).status_code < 500, (kind, method, endpoint)
