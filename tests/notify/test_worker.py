"""The outbox: nothing is lost, nothing that matters is doubled, one bad receiver delays nobody."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock, jobs
from idp.audit.model import AuditEntry
from idp.notify import outbox, worker
from idp.notify.model import OutboxMessage
from idp.store.db import db, transaction
from tests.oidc.counting import statements

KIND = "test"


class Receiver:
    """Takes messages, and fails as often as it is told."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self._failures = failures
        self._error = error or ConnectionError("away")

    def __call__(self, message_id: str, payload: dict[str, Any]) -> None:
        if self._failures:
            self._failures -= 1
            raise self._error
        self.got.append((message_id, payload))


@pytest.fixture
def moved_clock() -> Iterator[list[timedelta]]:
    """A clock that a test moves by changing the one element."""
    ahead = [timedelta(0)]
    clock.replace(lambda: datetime.now(UTC) + ahead[0])
    yield ahead
    clock.replace(None)


def put(*values: int, give_up_after: timedelta = timedelta(hours=1)) -> list[str]:
    with transaction() as session:
        return [outbox.enqueue(session, KIND, {"n": value}, give_up_after=give_up_after) for value in values]


def state_of(message_id: str) -> OutboxMessage:
    with transaction() as session:
        return session.scalars(select(OutboxMessage).where(OutboxMessage.id == message_id)).one()


def test_message_is_delivered_once_with_its_id(app: Flask) -> None:
    receiver = Receiver()
    worker.register(KIND, receiver)
    [message_id] = put(7)
    assert worker.deliver_one()
    assert not worker.deliver_one()
    assert receiver.got == [(message_id, {"n": 7})]
    assert state_of(message_id).state == "delivered"


def test_nothing_leaves_when_the_decision_is_rolled_back(app: Flask) -> None:
    receiver = Receiver()
    worker.register(KIND, receiver)

    def decide_and_fail() -> None:
        with transaction() as session:
            outbox.enqueue(session, KIND, {"n": 1}, give_up_after=timedelta(hours=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide_and_fail()
    assert not worker.deliver_one()
    assert receiver.got == []


def test_failure_is_tried_again_with_growing_waits(app: Flask, moved_clock: list[timedelta]) -> None:
    receiver = Receiver(failures=3)
    worker.register(KIND, receiver)
    [message_id] = put(1)
    waits = []
    for _ in range(3):
        assert worker.deliver_one()
        assert not worker.deliver_one(), "tried again before its time"
        waits.append(state_of(message_id).due_at - clock.now())
        moved_clock[0] += waits[-1] + timedelta(milliseconds=50)
    assert worker.deliver_one()
    assert receiver.got == [(message_id, {"n": 1})]
    assert [round(wait.total_seconds()) for wait in waits] == [1, 2, 4]


def test_message_is_given_up_in_time_and_the_audit_says_so(app: Flask, moved_clock: list[timedelta]) -> None:
    worker.register(KIND, Receiver(failures=99))
    [message_id] = put(1, give_up_after=timedelta(seconds=2))
    for _ in range(3):
        worker.deliver_one()
        moved_clock[0] += timedelta(seconds=3)
    assert state_of(message_id).state == "given_up"
    with transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "outbox.given_up")).one()
    assert entry.details["error"] == "ConnectionError"


def test_permanent_refusal_is_not_tried_again(app: Flask) -> None:
    worker.register(KIND, Receiver(failures=1, error=worker.Permanent("gateway_refused")))
    [message_id] = put(1)
    assert worker.deliver_one()
    assert state_of(message_id).last_error == "gateway_refused"
    assert not worker.deliver_one()


def test_payload_is_encrypted_at_rest(app: Flask) -> None:
    """DESIGN 7: phones and codes that wait in the outbox are not readable in the database."""
    with transaction() as session:
        outbox.enqueue(session, KIND, {"phone": "+8613800000000"}, give_up_after=timedelta(hours=1))
    stored = db.session().execute(db.text("SELECT payload FROM outbox_message")).scalar_one()
    assert b"13800000000" not in bytes(stored)


def test_message_of_a_dead_worker_comes_back(app: Flask, moved_clock: list[timedelta]) -> None:
    receiver = Receiver()
    worker.register(KIND, receiver)
    [message_id] = put(1)
    assert worker.claim() is not None, "claimed by a worker that then dies"
    assert not worker.deliver_one(), "another worker has it"
    moved_clock[0] += worker.CLAIM_FOR + timedelta(seconds=1)
    assert worker.deliver_one()
    assert receiver.got == [(message_id, {"n": 1})]


def test_late_worker_cannot_close_what_another_took_over(app: Flask, moved_clock: list[timedelta]) -> None:
    worker.register(KIND, Receiver(failures=99))
    [message_id] = put(1)
    slow = worker.claim()
    moved_clock[0] += worker.CLAIM_FOR + timedelta(seconds=1)
    second = worker.claim()
    assert slow is not None
    assert second is not None
    worker.deliver(slow)
    assert state_of(message_id).claimed_until is not None, "the second worker still holds it"


def test_many_workers_deliver_each_message_once(app: Flask) -> None:
    receiver = Receiver()
    worker.register(KIND, receiver)
    ids = put(*range(60))

    def work() -> None:
        with app.app_context():
            while worker.deliver_one():
                pass
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(message_id for message_id, _ in receiver.got) == Counter(ids)


SLOW_WORKER = """
    import sys, time
    from pathlib import Path
    from idp import jobs
    from idp.app import create_app
    from idp.notify import worker
    from idp.settings import Settings

    received = Path(sys.argv[3])

    def receive(message_id, payload):
        with received.open("a") as file:
            file.write(f"{message_id}\\n")
        time.sleep(0.02)

    app = create_app(Settings(database_url=sys.argv[1], key_file=sys.argv[2]))
    worker.register("test", receive)
    worker.CLAIM_FOR = worker.CLAIM_FOR / 15
    jobs.run(app)
"""


def test_killed_workers_lose_nothing(postgres_app: Flask, key_file: Path, tmp_path: Path) -> None:
    """Workers are killed (kill -9) in the middle of their work; every message still arrives."""
    ids = put(*range(80))
    received = tmp_path / "received"
    url = db.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", textwrap.dedent(SLOW_WORKER), url, str(key_file), str(received)]
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
        _wait_until(lambda: _open_messages() < 80, 20)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until(lambda: _open_messages() == 0, 30)
    finally:
        process.terminate()
        process.wait(10)
    counted = Counter(received.read_text().split())
    assert set(counted) == set(ids)
    # Only what was in delivery at a kill may come twice: four deliverers, three kills.
    assert sum(count - 1 for count in counted.values()) <= 12


def _open_messages() -> int:
    with transaction() as session:
        return len(session.scalars(select(OutboxMessage.id).where(OutboxMessage.state == "waiting")).all())


def _wait_until(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_payloads_survive_as_json(app: Flask) -> None:
    receiver = Receiver()
    worker.register(KIND, receiver)
    with transaction() as session:
        outbox.enqueue(session, KIND, {"text": "验证码"}, give_up_after=timedelta(hours=1))
    worker.deliver_one()
    assert json.dumps(receiver.got[0][1], ensure_ascii=False) == '{"text": "验证码"}'


def test_while_nothing_is_due_one_looks_for_all(app: Flask) -> None:
    """An idle worker leaves the database alone, however many deliverers it has."""
    stop, turn = threading.Event(), threading.Lock()
    hands = [threading.Thread(target=jobs.deliver_until, args=(app, stop, turn)) for _ in range(jobs.DELIVERERS)]
    with statements() as run:
        for hand in hands:
            hand.start()
        time.sleep(4 * jobs.IDLE_WAIT)
        stop.set()
        for hand in hands:
            hand.join()
    assert 1 <= sum("outbox" in text for text in run) <= 4 + jobs.DELIVERERS
