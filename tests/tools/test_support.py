"""The test infrastructure itself: databases are separate, the browser watch fails tests, servers end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page
from redis import Redis
from sqlalchemy import create_engine, text

from tests.support.accessibility import axe_check
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.processes import ROOT, spawn, until

HERE = Path(__file__).parent


@pytest.mark.parametrize("_round", [1, 2])
def test_a_database_is_fresh(database_url: str, _round: int) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE marked (id integer)"))  # fails in a database used before
    engine.dispose()


def test_a_template_is_prepared_once_and_its_copies_are_separate(postgres_server: PostgresServer) -> None:
    prepared = []

    def prepare(url: str) -> None:
        prepared.append(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE counted (n integer)"))
        engine.dispose()

    names = [postgres_server.create(postgres_server.template("counted", prepare)) for _ in range(2)]
    urls = [postgres_server.url(name).replace("+psycopg", "") for name in names]
    with psycopg.connect(urls[0], autocommit=True) as first, psycopg.connect(urls[1]) as second:
        first.execute("INSERT INTO counted VALUES (1)")
        assert second.execute("SELECT count(*) FROM counted").fetchone() == (0,)
        postgres_server.drop(names[0])  # although a connection is open
    assert len(prepared) == 1


def _prepare(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE given (n integer)"))
        connection.execute(text("INSERT INTO given VALUES (7)"))
        connection.execute(text("CREATE TABLE written (n integer GENERATED ALWAYS AS IDENTITY)"))
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "comes_again"),
    [
        ("INSERT INTO written DEFAULT VALUES", True),
        ("ALTER TABLE written ADD COLUMN more text", False),
        ("UPDATE given SET n = 8", False),
        ("DELETE FROM given", False),
        ("CREATE TABLE another (n integer)", False),
    ],
)
def test_a_lent_database_comes_again_as_it_was(
    postgres_server: PostgresServer, statement: bytes, comes_again: bool
) -> None:
    """Emptied, numbers beginning anew, nobody connected; or not at all if the test changed more than rows."""
    template = postgres_server.template("lent", _prepare)
    lent = postgres_server.lend(template)
    url = postgres_server.url(lent.name).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
        postgres_server.take_back(lent)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    again = postgres_server.lend(template)
    assert (again.name == lent.name) is comes_again
    with psycopg.connect(postgres_server.url(again.name).replace("+psycopg", ""), autocommit=True) as connection:
        assert connection.execute("SELECT n FROM given").fetchall() == [(7,)]
        assert connection.execute("SELECT n FROM written").fetchall() == []
        assert connection.execute("INSERT INTO written DEFAULT VALUES RETURNING n").fetchone() == (1,)
    postgres_server.take_back(again)


def test_postgres_listens_on_its_socket_only(postgres_server: PostgresServer, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.parametrize("_round", [1, 2])
def test_redis_is_empty(redis_url: str, _round: int) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("marked", "1")


def test_a_clean_page_passes(page: Page) -> None:
    page.set_content("<html lang=zh><title>净</title><main><h1>净</h1></main></html>")
    axe_check(page)


@pytest.mark.parametrize(
    ("markup", "finding"),
    [
        ("<h1>一</h1><input type=text>", "label"),
        ("<h1>一</h1><p id=a></p><p id=a></p>", "more than once: a"),
        ("<h2>二</h2>", "page-has-heading-one"),
    ],
)
def test_axe_check_fails(page: Page, markup: str, finding: str) -> None:
    page.set_content(f"<html lang=zh><title>误</title><main>{markup}</main></html>")
    with pytest.raises(AssertionError, match=finding):
        axe_check(page)


def test_the_browser_watch_fails_tests_and_keeps_a_picture(browser: object) -> None:
    """`browser` is asked for so that this is skipped, with its reason, where there is no Chromium."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", HERE / "samples" / "complaints.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "4 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    for complaint in ["written by a script", "uncaught", "Content Security Policy", "status of 404"]:
        assert complaint in done.stdout
    pictures = sorted((ROOT / "tests/artifacts").glob("tools-samples-complaints.py-*.png"))
    assert pictures[0].name == "tools-samples-complaints.py-test_console_error-1.png"
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    for picture in pictures:
        picture.unlink()


def test_spawn_waits_until_healthy_and_leaves_nothing(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with spawn(command, health=f"http://127.0.0.1:{port}/", cwd=tmp_path) as server:
        pid = server.pid
        assert "GET / " in server.output()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_spawn_tells_what_a_server_wrote_that_never_came_up() -> None:
    with (
        pytest.raises(RuntimeError, match=r"(?s)ended with 3.*cannot open the vault"),
        spawn([sys.executable, "-c", "print('cannot open the vault'); exit(3)"], health="http://127.0.0.1:1/"),
    ):
        pytest.fail("the block must not start")


def test_spawn_gives_up_after_its_timeout() -> None:
    with (
        pytest.raises(RuntimeError, match="is not healthy"),
        spawn([sys.executable, "-c", "import time; time.sleep(60)"], health="http://127.0.0.1:1/", timeout=0.3),
    ):
        pytest.fail("the block must not start")


def test_stop_kills_a_group_that_ignores_sigterm(tmp_path: Path) -> None:
    """A worker process that the leader forked dies with it."""
    script = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "if child: open('child', 'w').write(str(child))\n"
        "time.sleep(60)"
    )
    with spawn([sys.executable, "-c", script], cwd=tmp_path) as server:
        written = tmp_path / "child"
        until(lambda: written.exists() and written.read_text() != "")
        child = int(written.read_text())
        assert server.stop(timeout=0.2) == -signal.SIGKILL
    until(lambda: not _alive(child))


def test_servers_end_with_a_killed_session(tmp_path: Path) -> None:
    """Once a server runs: between fork and the first step of its command nobody has asked to be told yet."""
    script = (
        "import sys, time; sys.path.insert(0, '.'); from tests.support.processes import Spawned, ROOT, until\n"
        "server = Spawned([sys.executable, '-c', 'import time; print(1); time.sleep(60)'], None, ROOT)\n"
        "until(server.output)\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)"
    )
    session = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert session.stdout is not None
    pid = int(session.stdout.readline())
    session.kill()
    session.communicate()
    until(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # dead, only not yet collected by whoever adopted it
