"""A private Redis server on a Unix socket."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support import services
from tests.support.processes import Spawned

START_SECONDS = 10


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The socket's path of this worker's own Redis; no TCP, nothing kept on disk."""
    services.skip_without("Redis")
    directory = Path(tempfile.mkdtemp(prefix="jingban-redis-"))
    socket = directory / "redis.sock"
    socket_only: list[str | Path] = ["--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"]
    in_memory = ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
    server = Spawned([services.redis_server() or "", *socket_only, *in_memory], None, directory)
    try:
        _wait(socket, server)
        yield str(socket)
    finally:
        server.stop()
        shutil.rmtree(directory)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """URL (`unix:///…`) of an empty Redis; Flask-Limiter takes it as `redis+` and the URL."""
    with Redis.from_url(f"unix://{redis_server}") as client:
        client.flushall()
    return f"unix://{redis_server}"


def _wait(socket: Path, server: Spawned) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and server.process.poll() is None:
        try:
            with Redis(unix_socket_path=str(socket)) as client:
                client.ping()
        except RedisConnectionError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"Redis did not start. It wrote:\n{server.tail()}")
