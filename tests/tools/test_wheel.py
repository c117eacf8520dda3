"""The wheel is whole: installed alone, outside the checkout, it has all it needs to migrate and to serve.

Installing it with its declared dependencies only also proves that none is missing from pyproject.toml.
"""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import ROOT, spawn


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by way of the source distribution, as `make wheel` does."""
    directory = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "build", "--outdir", directory, ROOT], directory)
    (built,) = directory.glob("jingban-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with nothing but the wheel and what it declares."""
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", directory / "bin/python"]
    _run([*pip, "install", "--no-compile", "--constraint", ROOT / "constraints.txt", wheel], directory)
    return directory / "bin"


def test_the_wheel_carries_what_the_packages_need(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    beside = {"templates": "idp/templates", "migrations": "idp/migrations"}
    expected = {name.replace(top, beside[top], 1) for top in beside for name in _tracked(top)}
    expected |= set(_tracked("idp", "relying_parties", "sandbox"))
    expected |= {name.removesuffix(".po") + ".mo" for name in expected if name.endswith(".po")}
    assert expected - inside == set()
    assert {name.split("/")[0] for name in inside} == {"idp", "relying_parties", "sandbox", _dist_info(wheel)}


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
    for path in ["/.well-known/openid-configuration", "/sign-in"]:
        with spawn(serve, env=settings, health=address + path, cwd=tmp_path):
            pass


def _tracked(*folders: str) -> list[str]:
    return _run(["git", "ls-files", "--", *folders], ROOT).split()


def _dist_info(wheel: Path) -> str:
    return "-".join(wheel.name.split("-")[:2]) + ".dist-info"


def _run(command: list[str | Path], directory: Path, settings: dict[str, str] | None = None) -> str:
    environment = {**os.environ, **(settings or {})}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
