"""A visitor inside the process: the pages of `app` without a server, without JavaScript, with cookies and forms."""

import re
from urllib.parse import urljoin, urlsplit

from flask import Flask, g
from werkzeug.test import TestResponse

from idp.persons.model import AccountKind
from idp.store.db import release
from tests.support import rows
from tests.support.visitor import REDIRECTS, Visitor

ADDRESS = "http://localhost"
BROWSER = "browser-of-the-test"


def forgetful(app: Flask) -> Flask:
    """Let the requests of `app` know nothing of each other.

    Inside the test's own application context they would share `g`, and with it who is signed in.
    """

    def forget() -> None:
        for name in list(g):
            g.pop(name)

    app.before_request_funcs.setdefault(None, []).insert(0, forget)
    return app


class InsideVisitor(Visitor):
    """Follows redirects until one leads to a path in `outside`, or away from the provider."""

    def __init__(self, app: Flask, *outside: str) -> None:
        super().__init__(*outside)
        self.url = ADDRESS + "/"
        self.client = app.test_client()
        with self.client.session_transaction() as session:
            session["browser"] = BROWSER

    def sign_in(self, subject_id: str, kind: AccountKind = AccountKind.PERSON) -> "InsideVisitor":
        """Be signed in as a person or a unit."""
        self.client.set_cookie("jingban_session", rows.signed_in(subject_id, kind))
        return self

    def get(self, url: str, **query: str) -> "InsideVisitor":
        """Open `url` and follow its redirects."""
        release()
        return self._follow_inside(self.client.get(url, query_string=query or None))

    def submit(self, having: str, **values: str) -> "InsideVisitor":
        """Fill in the form that has `having` and send it; what is not named keeps its value."""
        form = self.form(having)
        filled = [(name, value) for name, value in form.values if name not in values] + list(values.items())
        data: dict[str, list[str]] = {}
        for name, value in filled:
            data.setdefault(name, []).append(value)
        release()
        return self._follow_inside(self.client.post(urljoin(self.url, form.action or self.url), data=data))

    def post(self, url: str, **values: str) -> "InsideVisitor":
        """Send what no form on this page sends, with this page's CSRF token."""
        token = next(value for form in self.forms() for name, value in form.values if name == "csrf_token")
        release()
        return self._follow_inside(self.client.post(url, data={"csrf_token": token, **values}))

    def link(self, label: str) -> str:
        """Return where the first link leads whose label has `label`."""
        found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*{re.escape(label)}', self.text, re.DOTALL)
        assert found, f"no link {label} at {self.url}: {self.text[:3000]}"
        return found[1].replace("&amp;", "&")

    def value(self, name: str) -> str:
        """Return what the field `name` holds on this page."""
        return next(value for form in self.forms() for field, value in form.values if field == name)

    def _follow_inside(self, answer: TestResponse) -> "InsideVisitor":
        self.url = urljoin(ADDRESS, answer.request.full_path.rstrip("?"))
        while answer.status_code in REDIRECTS:
            self.url = urljoin(self.url, answer.headers["Location"])
            if not self.url.startswith(ADDRESS + "/") or urlsplit(self.url).path.startswith(self.outside or ("\0",)):
                self.status, self.text = answer.status_code, ""
                return self
            answer = self.client.get(self.url)
        self.status, self.text = answer.status_code, answer.get_data(as_text=True)
        return self
