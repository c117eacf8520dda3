"""Real servers as subprocesses: start, wait until healthy, keep their output, stop without leftovers."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.support.services import die_with_us

ROOT = Path(__file__).parents[2]
SHOWN_LINES = 60

running: list["Spawned"] = []
"""The servers alive now; a failing test's report shows the end of what each of them wrote."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Spawned:
    """A running subprocess, leader of its own process group, and what it writes."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str] | None, cwd: Path) -> None:
        self.command = [str(part) for part in command]
        self.name = " ".join(Path(part).name for part in self.command[:4])
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen(
            [*die_with_us("TERM"), *self.command],
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running.append(self)

    @property
    def pid(self) -> int:
        """The process id of the group's leader, which is also the group's id."""
        return self.process.pid

    def output(self) -> str:
        """Return everything written to stdout and stderr so far."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def tail(self) -> str:
        """Return the last lines written."""
        return "\n".join(self.output().splitlines()[-SHOWN_LINES:])

    def wait_healthy(self, url: str, timeout: float) -> None:
        """Poll `url` until it answers 2xx; RuntimeError with the output if not within `timeout` seconds."""
        give_up = time.monotonic() + timeout
        reason = "no answer"
        while time.monotonic() < give_up:
            if self.process.poll() is not None:
                reason = f"it ended with {self.process.returncode}"
                break
            try:
                with _opener.open(url, timeout=5):
                    return
            except OSError as problem:  # URLError, refused, reset, timed out
                reason = str(problem)
            time.sleep(0.05)
        raise RuntimeError(f"{self.name}: {url} is not healthy ({reason}). It wrote:\n{self.tail()}")

    def kill(self) -> None:
        """Kill the whole group at once, as a crash or the kernel would (SIGKILL), and collect the leader."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout: float = 10) -> int:
        """Ask the leader to stop (SIGTERM), kill the group after `timeout` seconds; return the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        self.kill()
        if self in running:
            running.remove(self)
            self._output.close()
        return self.process.returncode

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


@contextlib.contextmanager
def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    health: str | None = None,
    timeout: float = 30,
    cwd: Path = ROOT,
) -> Iterator[Spawned]:
    """Run `command` in a process group of its own while the block runs, and stop it after.

    `env` is laid over this process's environment. With `health` the block starts only once that URL answers
    2xx; RuntimeError with the server's output if it does not within `timeout` seconds. Start servers from
    the main thread: they end with the thread that started them.
    """
    server = Spawned(command, env, cwd)
    try:
        if health is not None:
            server.wait_healthy(health, timeout)
        yield server
    finally:
        server.stop()


def until(condition: Callable[[], object], timeout: float = 10) -> None:
    """Wait until `condition` holds; AssertionError after `timeout` seconds."""
    give_up = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < give_up, f"still not so after {timeout} s"
        time.sleep(0.02)
