"""The real PostgreSQL, Redis, Chromium, Node.js and Apache of this machine, and what to do without one."""

import os
import shutil
from pathlib import Path

import pytest

REQUIRE = "JINGBAN_REQUIRE_SERVICES"
"""Environment switch: "1" lets a missing service fail the whole session, as CI wants it."""

APACHE_MODULES = Path("/usr/lib/apache2/modules")

HINT = "`make test` installs it, as root from Debian's packages"

NODE_MODULES = Path(__file__).parents[1] / "recipes/node_modules"
"""The libraries of tests/recipes/package.json, once `npm ci` has put them there."""


def postgres_bin() -> Path | None:
    """Return the directory of the newest PostgreSQL server's binaries, or None."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def redis_server() -> str | None:
    """Return the path of redis-server, or None."""
    return shutil.which("redis-server")


def chromium() -> str | None:
    """Return the path of Debian's Chromium without a window, or None: pages are the same and cost half as much."""
    return shutil.which("chromium-headless-shell")


def node() -> str | None:
    """Return the path of Node.js, or None."""
    return shutil.which("node")


def javascript_libraries() -> Path | None:
    """Return the folder of the installed npm packages, or None."""
    finished = NODE_MODULES / ".package-lock.json"  # the last that npm writes
    return NODE_MODULES if finished.exists() else None


def apache() -> str | None:
    """Return the path of Apache with mod_auth_openidc, or None. Debian keeps it where only root's path leads."""
    found = shutil.which("apache2", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    return found if (APACHE_MODULES / "mod_auth_openidc.so").exists() else None


def missing() -> list[str]:
    """Return the names of the services that this machine lacks."""
    found = {
        "PostgreSQL": postgres_bin(),
        "Redis": redis_server(),
        "Chromium": chromium(),
        "Node.js": node(),
        "npm packages": javascript_libraries(),
        "Apache with mod_auth_openidc": apache(),
    }
    return [name for name, path in found.items() if path is None]


def required() -> bool:
    """Tell whether a missing service must fail the session."""
    return os.environ.get(REQUIRE, "") not in {"", "0"}


def skip_without(name: str) -> None:
    """Skip the running test if service `name` is missing; a session that requires it has ended before."""
    if name in missing():
        pytest.skip(f"{name} is not installed: {HINT}")


def die_with_us(signal: str) -> list[str]:
    """Return the command prefix that sends `signal` to a process once the thread that started it is gone.

    A killed test session (`kill -9`, a full disk) would otherwise leave servers behind. `setpriv` comes
    with Debian's util-linux; elsewhere the prefix is empty.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal] if setpriv else []
