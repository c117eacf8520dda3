"""A real Chromium for tests, and the watch that fails a test on whatever the browser complains about.

A page that writes an error to the console, throws in a script or breaks its own Content-Security-Policy is
broken even if the test did not look there. A test that provokes such an error on purpose says so:

    @pytest.mark.browser_errors("Refused to load the image")   # parts of the messages it expects
"""

import os
import re
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Response,
    WebError,
    sync_playwright,
)

from tests.support import services

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
ACTION_MILLISECONDS = 10_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}

# What Chromium logs for a page that answers 4xx or 5xx. For a page the test itself went to that is no defect
# (a refused form answers 400); for anything the page loads, it is.
_FAILED_LOAD = "Failed to load resource: the server responded with a status of"


class Watch:
    """Collects the complaints of every page in one browser context."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self._complaints: list[tuple[str, str]] = []
        self._refused_pages: set[str] = set()
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("response", self._response)

    def forget(self) -> None:
        """Begin anew, for another test."""
        self._complaints.clear()
        self._refused_pages.clear()

    def problems(self, expected: tuple[str, ...] = ()) -> list[str]:
        """Return the complaints that contain none of the `expected` parts."""
        texts = [
            f"{text} ({where})"
            for text, where in self._complaints
            if not (text.startswith(_FAILED_LOAD) and where in self._refused_pages)
        ]
        return [text for text in texts if not any(part in text for part in expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append((message.text, message.location["url"]))

    def _web_error(self, problem: WebError) -> None:
        self._complaints.append((f"uncaught {problem.error}", problem.page.url if problem.page else ""))

    def _response(self, response: Response) -> None:
        request = response.request
        if response.status >= 400 and request.is_navigation_request() and request.frame.parent_frame is None:
            self._refused_pages.add(response.url)


_machines = count(1)
_watches = pytest.StashKey[list[Watch]]()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, one per worker."""
    services.skip_without("Chromium")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    chromium = playwright.chromium.launch(executable_path=services.chromium(), args=[*FLAGS, *as_root])
    yield chromium
    chromium.close()


@pytest.fixture
def new_page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a context of its own: another person at another machine.

    Its keywords are those of Playwright's `new_context`, e.g. `viewport=PHONE` or `color_scheme="dark"`. The other
    machine has an address of its own as far as a provider with `trusted_proxies` can tell, so that limits per address
    count every person of a test apart.
    """
    watches = request.node.stash.setdefault(_watches, [])

    def open_page(**options: object) -> Page:
        address = {"X-Forwarded-For": f"2001:db8:0:{next(_machines):x}::1"}  # RFC 3849: for documentation
        defaults: dict[str, object] = {"locale": "zh-CN", "viewport": DESKTOP, "extra_http_headers": address}
        context = browser.new_context(**(defaults | options))  # type: ignore[arg-type]
        context.set_default_timeout(ACTION_MILLISECONDS)
        watches.append(Watch(context))
        return context.new_page()

    yield open_page
    for watch in watches:
        watch.context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A desktop page in a context of its own."""
    return new_page()


@pytest.fixture(scope="session")
def _lasting(browser: Browser) -> Iterator[Watch]:
    context = browser.new_context(locale="zh-CN", viewport=DESKTOP, reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(ACTION_MILLISECONDS)
    context.new_page()
    yield Watch(context)
    context.close()


@pytest.fixture
def lasting_page(request: pytest.FixtureRequest, _lasting: Watch) -> Iterator[Page]:
    """The one page of this worker without transitions, for tests that only look at what they show in it.

    A browser that runs already shows a page in a third of the time that a new one takes.
    """
    _lasting.forget()
    request.node.stash.setdefault(_watches, []).append(_lasting)
    [page] = _lasting.context.pages
    yield page
    page.unroute_all()
    page.goto("about:blank")
    _lasting.context.clear_cookies()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed by itself while the browser complained."""
    result = yield
    expected = tuple(part for mark in item.iter_markers("browser_errors") for part in mark.args)
    problems = [text for watch in item.stash.get(_watches, []) for text in watch.problems(expected)]
    if problems:
        pytest.fail("the browser complained:\n" + "\n".join(problems), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of every open page of a test that failed, in tests/artifacts/."""
    report = yield
    if call.when == "call" and report.failed:
        pages = [page for watch in item.stash.get(_watches, []) for page in watch.context.pages]
        for number, page in enumerate(pages, 1):
            report.sections.append(("page", _picture(page, f"{item.nodeid}-{number}")))
    return report


def _picture(page: Page, name: str) -> str:
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / (re.sub(r"[^\w.-]+", "-", name.removeprefix("tests/")) + ".png")
    try:
        page.screenshot(path=path, full_page=True)
    except Exception as problem:  # noqa: BLE001 - a crashed page must not hide why the test failed
        return f"{page.url}: no picture ({problem})"
    return f"{page.url}: {path}"
