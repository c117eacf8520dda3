"""A client's keys behind its `jwks_uri`: rotated without a word to us, and its address never hammered."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from joserfc.jwk import ECKey

from idp.clients import registry
from idp.oidc import client_keys
from tests.oidc import servers
from tests.oidc.client_jwt import key_set
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock

OLD, NEW = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("old", "new"))


@pytest.fixture
def address(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[servers.Portal]:
    """The server with the keys of the client `signer`, in an application that may call it."""
    app: Flask = make_app(migrated_sqlite_url, fetch_allow_loopback=True)
    with app.app_context(), servers.portal() as portal:
        publish(portal, OLD)
        uri = f"http://127.0.0.1:{portal.port}/jwks"
        rows.client("signer", token_endpoint_auth_method="private_key_jwt", more={"jwks_uri": uri})
        yield portal


def publish(portal: servers.Portal, *keys: ECKey) -> None:
    portal.answer = lambda _: (200, {"Content-Type": "application/json"}, json.dumps(key_set(*keys)).encode())


def found(kid: str | None) -> list[str | None]:
    client = registry.find("signer")
    assert client is not None
    return [key.kid for key in client_keys.candidates(client, "ES256", kid)]


def test_keys_are_fetched_once_and_kept(address: servers.Portal) -> None:
    assert [found("old"), found("old"), found(None)] == [["old"]] * 3
    assert len(address.received) == 1


def test_an_unknown_kid_makes_us_look_again(address: servers.Portal, moved_clock: MovedClock) -> None:
    """OpenID Connect Core §10.1.1: the client rotates when it likes."""
    found("old")
    publish(address, OLD, NEW)
    moved_clock.advance(timedelta(milliseconds=client_keys.AGAIN_MS))
    assert found("new") == ["new"]
    assert len(address.received) == 2


def test_strange_kids_do_not_hammer_the_client(address: servers.Portal, moved_clock: MovedClock) -> None:
    found("old")
    moved_clock.advance(timedelta(milliseconds=client_keys.AGAIN_MS))
    assert [found(f"strange-{n}") for n in range(50)] == [[]] * 50
    assert len(address.received) == 2
    assert found("old") == ["old"]


def test_a_key_that_was_taken_away_is_gone_when_the_copy_is_old(
    address: servers.Portal, moved_clock: MovedClock
) -> None:
    found("old")
    publish(address, NEW)
    moved_clock.advance(timedelta(milliseconds=client_keys.FRESH_MS))
    assert found("old") == []
    assert found("new") == ["new"]


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b"broken"),
        (200, {}, b"no json"),
        (200, {}, b"\xff"),
        (200, {}, b'{"keys": []}'),
        (200, {}, b'{"keys": {}}'),
        (200, {}, b"[]"),
        (302, {"Location": "https://elsewhere.example/"}, b""),
        (200, {}, b"x" * 70_000),
    ],
)
def test_the_last_good_copy_stands_while_nothing_better_comes(
    address: servers.Portal, moved_clock: MovedClock, answer: tuple[int, dict[str, str], bytes]
) -> None:
    found("old")
    address.answer = lambda _: answer
    moved_clock.advance(timedelta(milliseconds=client_keys.FRESH_MS))
    assert found("old") == ["old"]
    assert len(address.received) == 2
    moved_clock.advance(timedelta(milliseconds=client_keys.KEPT_MS))
    assert found("old") == [], "but not for ever: a key may have been taken away because it leaked"


def test_a_first_fetch_that_fails_is_tried_again_soon_but_not_at_once(
    address: servers.Portal, moved_clock: MovedClock
) -> None:
    address.answer = lambda _: (503, {}, b"")
    assert [found("old"), found("old")] == [[], []]
    assert len(address.received) == 1
    publish(address, OLD)
    moved_clock.advance(timedelta(milliseconds=client_keys.AGAIN_MS))
    assert found("old") == ["old"]


def test_a_changed_registration_counts_at_once(address: servers.Portal, moved_clock: MovedClock) -> None:
    from idp.clients.model import Client  # noqa: PLC0415 - used here only
    from idp.store.db import transaction  # noqa: PLC0415

    found("old")
    with transaction() as session:
        session.get_one(Client, "signer").more = {"jwks": key_set(NEW)}
    moved_clock.advance(timedelta(milliseconds=registry.TRUST_MS))
    assert found("old") == []
    assert found("new") == ["new"]
