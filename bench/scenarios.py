"""What is measured: each row is something that a client or a browser does, the same with both providers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.http import Browser, Steps, basic, decoded, get, post
from bench.load import Client, UnexpectedAnswerError

REDIRECT_URI = "https://portal.example/callback"
SCOPE = "openid profile"
VERIFIER = "a-verifier-that-is-the-same-for-every-request-of-the-bench"
CHALLENGE = "MmCgF8kQrBdPusLjSJHihsYqz7yYhHLMb-gia0sD9sc"
RESOURCES = {
    "urn:bench:RS256": "RS256",
    "urn:bench:ES256": "ES256",
    "urn:bench:EdDSA": "EdDSA",
    "urn:bench:opaque": "opaque",
}
"""APIs for which a client gets a token in its own name, each with its algorithm, or as an opaque token."""


@dataclass(frozen=True)
class Provider:
    """A running provider: where it listens, its addresses, and who may call it. `secrets` are by client id.

    `usernames` go round: tries at one account are counted before they are checked (P9), so several people sign in.
    """

    name: str
    address: tuple[str, int]
    paths: dict[str, str]
    secrets: dict[str, str]
    usernames: Iterator[str]
    password: str

    @property
    def host(self) -> str:
        """What goes into `Host`."""
        return f"localhost:{self.address[1]}"

    def credentials(self, client_id: str) -> dict[str, str]:
        """Return the header by which a client authenticates."""
        return basic(client_id, self.secrets[client_id])


@dataclass(frozen=True)
class Row:
    """One line of the table. `prepare` is asked once for each client of the load, before the clock starts."""

    name: str
    title: str
    prepare: Callable[[Provider], Steps[Client]]


def api_client(alg: str) -> str:
    """Return the id of the client that gets tokens for itself under `alg`."""
    return f"api-{alg.lower()}"


def portal(alg: str) -> str:
    """Return the id of the portal whose ID tokens are signed with `alg`."""
    return f"portal-{alg.lower()}"


def _always(request: bytes) -> Client:
    """Return a client that sends the same bytes each time."""

    def iteration() -> Steps[None]:
        (yield request).expect(200)

    return iteration


def _document(endpoint: str) -> Callable[[Provider], Steps[Client]]:
    def prepare(provider: Provider) -> Steps[Client]:
        request = get(provider.host, provider.paths[endpoint])
        (yield request).expect(200)
        return _always(request)

    return prepare


def _client_credentials(alg: str) -> Callable[[Provider], Steps[Client]]:
    def prepare(provider: Provider) -> Steps[Client]:
        form = {"grant_type": "client_credentials", "resource": f"urn:bench:{alg}"}
        request = post(provider.host, provider.paths["token"], form, provider.credentials(api_client(alg)))
        decoded((yield request))
        return _always(request)

    return prepare


def _signed_in(provider: Provider) -> Steps[Browser]:
    """Return a browser in which the person is signed in, once for every kind of portal."""
    browser = Browser(provider.host)
    for alg in ("RS256", "ES256"):
        yield from _code_flow(provider, portal(alg), browser)
    return browser


def _authorize(provider: Provider, client_id: str) -> str:
    asked = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "state": "af0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{provider.paths['authorization']}?{urlencode(asked)}"


def _code_flow(
    provider: Provider, client_id: str, browser: Browser, username: str | None = None
) -> Steps[dict[str, Any]]:
    """Walk the code flow, sign in if a page asks for it, and return the token response."""
    reached = yield from browser.open(_authorize(provider, client_id))
    if not reached.startswith(REDIRECT_URI):
        filled = {"username": username or next(provider.usernames), "password": provider.password}
        reached = yield from browser.send(filled, reached)
    if not reached.startswith(REDIRECT_URI):
        msg = f"{provider.name} shows a page in place of the portal: {reached[:2000]}"
        raise UnexpectedAnswerError(msg)
    [code] = parse_qs(urlsplit(reached).query)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    answer = yield post(provider.host, provider.paths["token"], form, provider.credentials(client_id))
    return decoded(answer)


def _introspection(provider: Provider) -> Steps[Client]:
    tokens = yield from _code_flow(provider, portal("RS256"), Browser(provider.host))
    form = {"token": tokens["access_token"]}
    request = post(provider.host, provider.paths["introspection"], form, provider.credentials(portal("RS256")))
    if not decoded((yield request))["active"]:
        raise UnexpectedAnswerError("the token is not active")
    return _always(request)


def _userinfo(provider: Provider) -> Steps[Client]:
    tokens = yield from _code_flow(provider, portal("RS256"), Browser(provider.host))
    request = get(provider.host, provider.paths["userinfo"], {"Authorization": f"Bearer {tokens['access_token']}"})
    decoded((yield request))["name"]
    return _always(request)


def _refresh(provider: Provider) -> Steps[Client]:
    tokens = yield from _code_flow(provider, portal("RS256"), Browser(provider.host))
    held = [tokens["refresh_token"]]
    credentials = provider.credentials(portal("RS256"))

    def iteration() -> Steps[None]:
        form = {"grant_type": "refresh_token", "refresh_token": held[0]}
        answer = decoded((yield post(provider.host, provider.paths["token"], form, credentials)))
        if answer["refresh_token"] == held[0]:
            raise UnexpectedAnswerError("the refresh token was not rotated")
        held[0] = answer["refresh_token"]

    return iteration


def _with_session(alg: str) -> Callable[[Provider], Steps[Client]]:
    def prepare(provider: Provider) -> Steps[Client]:
        browser = yield from _signed_in(provider)

        def iteration() -> Steps[None]:
            yield from _code_flow(provider, portal(alg), browser.copy())

        return iteration

    return prepare


def _password(provider: Provider) -> Steps[Client]:
    username = next(provider.usernames)

    def iteration() -> Steps[None]:
        yield from _code_flow(provider, portal("RS256"), Browser(provider.host), username)

    yield from iteration()
    return iteration


def _rows() -> Iterator[Row]:
    yield Row("discovery", "Discovery document", _document("discovery"))
    yield Row("jwks", "JWKS", _document("jwks"))
    for alg in ("RS256", "ES256", "EdDSA"):
        yield Row(f"client-{alg.lower()}", f"Client credentials, JWT {alg}", _client_credentials(alg))
    yield Row("client-opaque", "Client credentials, opaque token", _client_credentials("opaque"))
    yield Row("introspection", "Introspection", _introspection)
    yield Row("userinfo", "UserInfo", _userinfo)
    yield Row("refresh", "Refresh with rotation", _refresh)
    for alg in ("RS256", "ES256"):
        yield Row(f"code-{alg.lower()}", f"Code flow, live session, {alg}", _with_session(alg))
    yield Row("password", "Sign-in with password, code flow", _password)


ROWS = tuple(_rows())
