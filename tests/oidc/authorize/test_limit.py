"""What one address may have stored here, and where forms may lead for a native application."""

from sqlalchemy import func, select

from idp.sessions.model import Interaction
from idp.store.db import db
from tests.oidc.authorize.browser import Browser, answer_in, request_parameters
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.signing import plant_keys


def stored() -> int:
    db.session.rollback()
    return db.session.scalars(select(func.count()).select_from(Interaction)).one()


def test_one_address_cannot_fill_the_table(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """A page says so: an error to the portal would make many a portal send the browser straight back."""
    app = make_app(migrated_sqlite_url, limit_authorize="3/minute")
    with app.app_context():
        rows.client()
        answers = [Browser(app).authorize() for _ in range(3)]
        assert {each.status_code for each in answers} == {303}
        answers = [Browser(app).authorize(), Browser(app).http.post("/oidc/authorize", data=request_parameters())]
        assert [each.status_code for each in answers] == [429, 429]
        assert "操作过于频繁" in answers[0].text
        assert stored() == 3


def test_what_is_not_stored_is_not_counted(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """Who is signed in and needs no page leaves nothing behind; nor does prompt=none."""
    app = make_app(migrated_sqlite_url, limit_authorize="1/minute")
    with app.app_context():
        plant_keys()
        rows.client(consent_required=False)
        browser = Browser(app)
        for _ in range(3):
            assert answer_in(Browser(app).authorize(prompt="none"))["error"] == "login_required"
        browser.sign_in(rows.person())
        for _ in range(3):
            assert "code" in answer_in(browser.authorize())
        assert stored() == 0


def test_forms_lead_back_to_a_native_application(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    """RFC 8252 §7.1: a scheme of its own has no host; the policy names the scheme."""
    app = make_app(migrated_sqlite_url)
    with app.app_context():
        rows.client(redirect_uris=["com.example.app:/callback"], more={"application_type": "native"})
        browser = Browser(app)
        page = browser.get(browser.authorize(redirect_uri="com.example.app:/callback").headers["Location"])
        assert page.status_code == 200
        assert "form-action 'self' com.example.app:;" in page.headers["Content-Security-Policy"]
