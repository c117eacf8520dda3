"""A visitor without JavaScript: plain HTTP, cookies, and forms filled in as they stand on the page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

REDIRECTS = {301, 302, 303, 307, 308}


@dataclass
class Form:
    """A form as a browser sees it: where it goes, what it holds, which buttons it has."""

    action: str
    method: str
    values: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def names(self) -> set[str]:
        """Return the names of everything that can be filled in or chosen."""
        return {name for name, _ in self.values} | set(self.choices)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None and "disabled" not in given:
            self._field(self._open, tag, given)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "button" and name:
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and given.get("type") in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given:
                form.values.append((name, given.get("value", "on")))
        elif tag == "input" and name and given.get("type") not in {"submit", "file"}:
            form.values.append((name, given.get("value", "")))
        elif tag == "textarea" and name:
            form.values.append((name, ""))
        elif tag == "select":
            self._select = name
            form.values.append((name, ""))
        elif tag == "option" and self._select is not None:
            form.choices.setdefault(self._select, []).append(given.get("value", ""))
            if "selected" in given:
                form.values = [pair for pair in form.values if pair[0] != self._select]
                form.values.append((self._select, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None


class Visitor:
    """Follows links and submits forms. Stops before any address in `outside`, as when a portal takes over."""

    def __init__(self, *outside: str) -> None:
        self.http = requests.Session()
        self.outside = outside
        self.url = ""
        self.status = 0
        self.text = ""

    def get(self, url: str, **query: str) -> "Visitor":
        """Open `url` and follow its redirects."""
        return self.follow(self.http.get(urljoin(self.url, url), params=query, allow_redirects=False, timeout=20))

    def forms(self) -> list[Form]:
        """Return the forms of this page."""
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    def form(self, having: str) -> Form:
        """Return the form that has a field, choice or button of this name."""
        for form in self.forms():
            if having in form.names() or having in {name for name, _ in form.buttons}:
                return form
        raise AssertionError(f"no form with {having} at {self.url} ({self.status}): {self.text[:2000]}")

    def submit(self, having: str, **values: str) -> "Visitor":
        """Fill in the form that has `having` and send it; what is not named keeps its value."""
        form = self.form(having)
        filled = [(name, value) for name, value in form.values if name not in values] + list(values.items())
        target = urljoin(self.url, form.action or self.url)
        if form.method == "get":
            answer = self.http.get(target, params=filled, allow_redirects=False, timeout=20)
        else:
            answer = self.http.post(
                target, data=filled, headers={"Referer": self.url}, allow_redirects=False, timeout=20
            )
        return self.follow(answer)

    def follow(self, answer: requests.Response) -> "Visitor":
        """Go where an answer leads."""
        for _ in range(20):
            if answer.status_code not in REDIRECTS:
                break
            target = urljoin(answer.url, answer.headers["Location"])
            if target.startswith(self.outside or ("\0",)):
                self.url, self.status, self.text = target, answer.status_code, ""
                return self
            answer = self.http.get(target, allow_redirects=False, timeout=20)
        self.url, self.status, self.text = answer.url, answer.status_code, answer.text
        return self
