"""Many polls at once: one is paid, each is counted, nobody gets a 500."""

from collections import Counter
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from idp.features import DEVICE_CODE
from idp.sessions.model import DeviceCode
from idp.store.db import db, release
from tests.oidc.device.scene import Scene
from tests.oidc.portal import basic, body_of
from tests.support.parallel import all_at_once

AT_ONCE = 12


def poller(scene: Scene) -> Callable[[], tuple[int, str | None]]:
    """Return a poll of the device, for a thread of its own."""
    form = {"grant_type": DEVICE_CODE, "device_code": scene.asked["device_code"]}
    headers = {"Authorization": basic(scene.portal.client_id, scene.portal.secret or "")}

    def poll() -> tuple[int, str | None]:
        response = scene.app.test_client().post("/oidc/token", data=form, headers=headers)
        return response.status_code, body_of(response).get("error")

    return poll


def test_one_poll_is_paid(postgres_app: Flask) -> None:
    scene = Scene.set(postgres_app)
    for _ in range(3):
        scene.ask()
        scene.allow()
        release()
        answers = all_at_once(postgres_app, [poller(scene)] * AT_ONCE)
        assert Counter(answers) == {(200, None): 1, (400, "invalid_grant"): AT_ONCE - 1}


def test_every_poll_that_is_too_fast_counts(postgres_app: Flask) -> None:
    scene = Scene.set(postgres_app)
    scene.ask()
    release()
    answers = all_at_once(postgres_app, [poller(scene)] * AT_ONCE)
    assert Counter(answers) == {(400, "authorization_pending"): 1, (400, "slow_down"): AT_ONCE - 1}
    db.session.rollback()
    assert db.session.scalars(select(DeviceCode.poll_every)).one() == 5 + 5 * (AT_ONCE - 1)
