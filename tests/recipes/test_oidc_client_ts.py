"""docs/integrate/oidc-client-ts.md, run by Chromium and used by a person."""

import functools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from idp.clients.registration import NewClient, add
from tests.recipes.javascript import SCRIPTS, lay_out
from tests.recipes.people import BUSINESS, MYSELF, Agent
from tests.recipes.recipe import FOLDER, PORTAL, PROVIDER, Recipe
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.ports import free_port
from tests.support.services import NODE_MODULES
from tests.support.signing import plant_keys
from tests.support.stack import Stack

REFUSED = "Failed to load resource: the server responded with a status of 400"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - named so by the base class
        pass


def _served(folder: Path, port: int) -> AbstractContextManager[None]:
    return _running(ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Quiet, directory=str(folder))))


def _laid_out(recipe: Recipe, folder: Path) -> Path:
    (folder / "index.html").write_text(recipe.block("html"))
    return lay_out(recipe, folder, "app.js")


@contextmanager
def _running(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def recipe(empty_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """The files of the recipe, served as they are."""
    recipe = Recipe.of("oidc-client-ts", empty_stack)
    folder = _laid_out(recipe, tmp_path_factory.mktemp("oidc-client-ts"))
    with _served(folder, recipe.port):
        yield recipe


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page without the header that tells machines apart: a portal's script may not send it to the provider."""
    return new_page(extra_http_headers={})


def _sign_in(page: Page, agent: Agent, choosing: str = MYSELF) -> None:
    page.locator("[name=username]").fill(agent.who.login)
    page.locator("[name=password]").fill(agent.who.password)
    page.get_by_role("button", name="登录", exact=True).click()
    if choosing != MYSELF:
        page.locator(f"[name=unit][value={choosing}]").check()
        page.get_by_role("button", name="为选中的单位办理业务，点击此处登录").click()
    page.get_by_role("button", name="同意并继续").click()


def _told(page: Page, recipe: Recipe) -> dict[str, Any]:
    page.wait_for_url(f"{recipe.portal}/")
    expect(page.locator("#told")).not_to_be_empty()
    told: dict[str, Any] = json.loads(page.locator("#told").inner_text())
    return told


def test_a_person_signs_in_and_out(recipe: Recipe, agent: Agent, page: Page) -> None:
    page.goto(f"{recipe.portal}/")
    assert _told(page, recipe) == {}
    page.locator("#login").click()
    _sign_in(page, agent)
    told = {"person": agent.person_id, "name": agent.who.name, "scope": ["openid", "profile"]}
    assert _told(page, recipe) == told
    page.locator("#logout").click()
    page.wait_for_url(f"{recipe.portal}/")
    expect(page.locator("#told")).to_have_text("{}")
    page.locator("#login").click()
    expect(page.locator("[name=password]")).to_be_visible()


@pytest.mark.browser_errors(REFUSED)
def test_for_a_unit_until_the_grant_is_withdrawn(recipe: Recipe, agent: Agent, page: Page) -> None:
    """Public client, PKCE and DPoP with a bound code (RFC 9449 §10); each refresh brings a new refresh token. U13."""
    page.goto(f"{recipe.portal}/")
    page.locator("#login-unit").click()
    _sign_in(page, agent, agent.unit_id)
    told = _told(page, recipe)
    assert (told["person"], told["actingFor"]["sub"]) == (agent.person_id, agent.unit_id)
    assert BUSINESS in told["scope"]
    for _ in range(2):
        page.evaluate("document.getElementById('told').textContent = ''")
        with page.expect_response("**/oidc/token") as refreshed:
            page.locator("#refresh").click()
        assert refreshed.value.json()["token_type"] == "DPoP"
        assert _told(page, recipe) == told
    agent.loses_the_business()
    page.locator("#refresh").click()
    expect(page.locator("#told")).to_have_text('{"error":"invalid_grant"}')
    page.reload()
    expect(page.locator("#told")).to_have_text("{}")


def test_the_person_may_refuse(recipe: Recipe, agent: Agent, page: Page) -> None:
    page.goto(f"{recipe.portal}/")
    page.locator("#login").click()
    page.locator("[name=username]").fill(agent.who.login)
    page.locator("[name=password]").fill(agent.who.password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name="拒绝").click()
    expect(page.locator("#told")).to_have_text('{"error":"access_denied"}')


# --- The same recipe at a provider that wants nonces in proofs -------------------------------------------------------


@pytest.fixture
def careful(make_app: MakeApp, migrated_sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Recipe, str]]:
    """The recipe with a provider that has `dpop_nonce_required`; and the cookie of somebody who is signed in there."""
    provider, port = f"http://localhost:{free_port()}", free_port()
    text = (FOLDER / "oidc-client-ts.md").read_text()
    recipe = Recipe(text.replace(PROVIDER, provider).replace(PORTAL, f"http://127.0.0.1:{port}"), port)
    app = make_app(migrated_sqlite_url, issuer=provider, dpop_nonce_required=True)
    with app.app_context():
        plant_keys()
        add(
            NewClient(
                client_id="browser-portal",
                client_name="我的门户",
                redirect_uris=(f"{recipe.portal}/",),
                token_endpoint_auth_method="none",
                consent_required=False,
            )
        )
        cookie = rows.signed_in(rows.person(1))
    folder = _laid_out(recipe, tmp_path)
    server = make_server("127.0.0.1", int(provider.rpartition(":")[2]), app, threaded=True)
    with _running(server), _served(folder, port):
        yield recipe, cookie


@pytest.mark.browser_errors(REFUSED, "the server responded with a status of 401")
def test_nonces_in_proofs(careful: tuple[Recipe, str], page: Page) -> None:
    """RFC 9449 §8, §9: the library answers `use_dpop_nonce` of the token endpoint, the recipe that of UserInfo."""
    recipe, cookie = careful
    [provider] = re.findall(r'authority: "(.*?)"', recipe.text)
    page.context.add_cookies([{"name": "jingban_session", "value": cookie, "url": provider}])
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url) if answer.status in {400, 401} else None)
    page.goto(f"{recipe.portal}/")
    page.locator("#login").click()
    expect(page.locator("#told")).to_contain_text(fictional.person_name(1))
    assert asked == [f"{provider}/oidc/token", f"{provider}/oidc/userinfo"]


# --- What the recipe does without: a portal of the provider's own site, with frames and a popup ----------------------


@pytest.fixture(scope="module")
def same_site(empty_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page on another port of the provider's host: a site has no port."""
    port, folder = free_port(), tmp_path_factory.mktemp("same-site")
    address = f"http://localhost:{port}/same-site.html"
    for name in ("same-site.html", "same-site.js"):
        (folder / name).symlink_to(SCRIPTS / name)
    (folder / "node_modules").symlink_to(NODE_MODULES, target_is_directory=True)
    (folder / "given.json").write_text(json.dumps({"issuer": empty_stack.issuer}))
    new = NewClient(
        client_id="same-site",
        client_name="我的门户",
        redirect_uris=(address,),
        post_logout_redirect_uris=(address,),
        token_endpoint_auth_method="none",
        grant_types=("authorization_code",),  # without a refresh token the library asks anew in a frame
    )
    with empty_stack.app.app_context():
        add(new)
    with _served(folder, port):
        yield address


def test_popup_frame_and_session_monitoring(same_site: str, empty_stack: Stack, agent: Agent, page: Page) -> None:
    """Core §3.1.2.1 `prompt=none` in a frame, Session Management 1.0; UserInfo and revocation by CORS."""
    page.goto(same_site)
    with page.expect_popup() as opened:
        page.locator("#popup").click()
    _sign_in(opened.value, agent)
    happened = page.locator("#happened")
    expect(happened).to_have_text("loaded")
    assert page.evaluate("portal.getUser().then(user => user.profile.name)") == agent.who.name
    first = page.evaluate("portal.getUser().then(user => user.access_token)")
    assert page.evaluate("portal.signinSilent().then(user => user.access_token)") != first
    page.evaluate("portal.revokeTokens(['access_token'])")

    elsewhere = page.context.new_page()
    elsewhere.goto(f"{empty_stack.issuer}/oidc/end_session")
    elsewhere.get_by_role("button", name="退出登录").click()
    expect(happened).to_contain_text("signed-out")
