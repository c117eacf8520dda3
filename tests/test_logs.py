"""Logs hold no personal data, codes, tokens or passwords (DESIGN 8), whoever writes them."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from idp import ids, logs
from tests.support import fictional

PRIVATE = [
    fictional.resident_id(),
    fictional.resident_id(41),
    fictional.hmt_residence_permit(),
    "13800138000",
    "+8613800138000",
    "+85251234567",
    "+886912345678",
    fictional.bank_card(),
    pytest.param(ids.new_secret(), id="secret"),
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwXzEifQ.c2lnbmF0dXJl",
]


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    logs.configure("DEBUG", "json")
    yield
    root.setLevel(level)


def fail(private: str) -> None:
    raise ValueError(private)


@pytest.mark.parametrize("private", PRIVATE)
def test_what_looks_private_is_hidden_wherever_it_stands(private: str, capfd: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().warning("outbox.retry", error=f"gateway said no to {private}.", found=[{"x": private}])
    logging.getLogger("a.library").error("cannot reach %s", private)
    try:
        fail(private)
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("a.library").exception("failed")
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 4
    assert all(json.loads(line)["event"] for line in lines)
    assert private not in "".join(lines)


@pytest.mark.parametrize("name", ["password", "code", "phone", "full_name", "document_number", "bank_card", "Token"])
def test_values_under_telling_names_are_hidden_whole(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("event", **{name: "Wise-Owl", "nested": {name: "Wise-Owl"}})
    logging.getLogger("a.library").info("event", extra={"details": {name: "Wise-Owl"}})
    assert "Wise-Owl" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["code", "state", "login_hint", "id_token_hint", "interaction"])
def test_queries_in_addresses_are_hidden(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("a.library").info("GET /callback?x=1&%s=secret-value&y=2", name)
    line = capfd.readouterr().err
    assert "secret-value" not in line
    assert "y=2" in line


def test_a_broken_constraint_does_not_name_the_value(capfd: pytest.CaptureFixture[str]) -> None:
    """PostgreSQL's own text, whatever SQLAlchemy hides."""
    logging.getLogger("a.library").error("DETAIL:  Key (key)=(user_0101) already exists.")
    line = capfd.readouterr().err
    assert "user_0101" not in line
    assert "already exists" in line


def test_what_helps_an_operator_stays(capfd: pytest.CaptureFixture[str]) -> None:
    """Ids, counts, codes of errors and times are no secrets."""
    person_id = ids.new_id(ids.PERSON)
    structlog.get_logger().info("sign_in.refused", subject=person_id, left=3, at=1_790_000_000_000, error="tls")
    line = json.loads(capfd.readouterr().err)
    assert (line["subject"], line["left"], line["at"], line["error"]) == (person_id, 3, 1_790_000_000_000, "tls")


def test_for_people_there_is_another_form(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console")
    structlog.get_logger().info("worker.started", phone="13800138000")
    line = capfd.readouterr().err
    assert "worker.started" in line
    assert "13800138000" not in line


def test_setting_up_again_does_not_double_the_lines(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    logs.configure("INFO", "json")
    structlog.get_logger().info("once")
    assert capfd.readouterr().err.count("once") == 1


@given(st.integers(0, 400_000))
def test_every_document_number_is_hidden(n: int) -> None:
    assert fictional.resident_id(n) not in logs.scrub(f"a {fictional.resident_id(n)} b")
