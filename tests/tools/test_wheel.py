"""The wheel is whole: installed alone, outside the checkout, it has all it needs to migrate and to serve.

With its declared dependencies only: that also proves that none is missing from pyproject.toml.
"""

import os
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.ports import free_port
from tests.support.processes import ROOT, spawn

IMPORT_ALL = """
import importlib, pkgutil
for name in ("idp", "relying_parties", "sandbox"):
    for each in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by way of the source distribution, as `make wheel` does."""
    directory = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "build", "--outdir", directory, ROOT], directory)
    (built,) = directory.glob("jingban-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with nothing but the wheel and what it declares.

    What it declares is linked from this environment, where it is installed already: the same files, in a hundredth of
    the time.
    """
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory)
    python = directory / "bin" / "python"
    (site,) = directory.glob("lib/python*/site-packages")
    for each in _declared(wheel):
        _link(each, site)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python]
    _run([*pip, "install", "--no-deps", wheel], directory)
    return directory / "bin"


def _declared(wheel: Path) -> list[Distribution]:
    """Return what the wheel needs, and what that needs, and so on; without extras that nobody asked for."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{_dist_info(wheel)}/METADATA").decode()
    waiting = [Requirement(each) for each in Parser().parsestr(metadata).get_all("Requires-Dist", [])]
    found: dict[tuple[str, str], Distribution] = {}
    while waiting:
        needed = waiting.pop()
        for extra in needed.extras or {""}:
            key = (canonicalize_name(needed.name), extra)
            if key in found or (needed.marker is not None and not needed.marker.evaluate({"extra": ""})):
                continue
            found[key] = distribution(needed.name)
            assert found[key].version in needed.specifier, f"{needed} and not {found[key].version}"
            inner = [Requirement(each) for each in found[key].requires or []]
            waiting += [each for each in inner if each.marker is None or each.marker.evaluate({"extra": extra})]
    return list(found.values())


def _link(needed: Distribution, site: Path) -> None:
    """Let everything of a distribution that lies in its environment's site-packages be found in `site`."""
    tops = {Path(each).parts[0] for each in needed.files or []} - {"..", "__pycache__", "bin"}
    for top in tops:
        target = site / top
        if not target.exists():
            target.symlink_to(Path(str(needed.locate_file(top))))


def test_the_wheel_carries_what_the_packages_need(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    beside = {"templates": "idp/templates", "migrations": "idp/migrations"}
    expected = {name.replace(top, beside[top], 1) for top in beside for name in _tracked(top)}
    expected |= set(_tracked("idp", "relying_parties", "sandbox"))
    expected |= {name.removesuffix(".po") + ".mo" for name in expected if name.endswith(".po")}
    assert expected - inside == set()
    assert {name.split("/")[0] for name in inside} == {"idp", "relying_parties", "sandbox", _dist_info(wheel)}


def test_everything_in_it_finds_what_it_imports(installed: Path, tmp_path: Path) -> None:
    """Also what is imported late, by one page or one command."""
    _run([installed / "python", "-c", IMPORT_ALL], tmp_path)


def test_the_command_explains_itself(installed: Path, tmp_path: Path) -> None:
    assert "jingban" in _run([installed / "jingban", "--help"], tmp_path)


def test_the_installed_provider_migrates_and_serves(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "JINGBAN_ISSUER": f"http://localhost:{port}",
        "JINGBAN_DATABASE_URL": f"sqlite:///{tmp_path}/jingban.db",
        "JINGBAN_KEY_FILE": str(tmp_path / "keys.json"),
    }
    for command in [["keys", "init"], ["db", "upgrade"]]:
        _run([installed / "jingban", *command], tmp_path, settings)
    address = f"http://127.0.0.1:{port}"
    serve = [installed / "jingban", "serve", "--port", str(port)]
    with spawn(serve, env=settings, health=f"{address}/.well-known/openid-configuration", cwd=tmp_path):
        assert requests.get(f"{address}/sign-in", timeout=20).status_code == 200


def _tracked(*folders: str) -> list[str]:
    return _run(["git", "ls-files", "--", *folders], ROOT).split()


def _dist_info(wheel: Path) -> str:
    return "-".join(wheel.name.split("-")[:2]) + ".dist-info"


def _run(command: list[str | Path], directory: Path, settings: dict[str, str] | None = None) -> str:
    environment = {**os.environ, **(settings or {})}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
