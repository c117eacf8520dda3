"""The set-up script: what it installs, when it leaves `.venv` alone, and what it says when it cannot go on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tools import setup

TEST_JOB = setup._jobs()["test"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in miniature that the script takes for its own."""
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname='small'\nversion='1'\n[project.optional-dependencies]\ntest=[]\n"
    )
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "STAMP", tmp_path / ".venv/jingban.json")
    monkeypatch.setattr(setup, "CONSTRAINTS", tmp_path / "constraints.txt")
    return tmp_path


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Commands":
    """Programs of our own for Python, `.venv`'s Python, apt-get and npm; they write down how they were called."""
    return Commands(tmp_path, monkeypatch)


class Commands:
    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._log = directory / "called"
        self._log.touch()
        for program in ["python", "apt-get", "npm"]:
            self.program(directory / "programs" / program)
        monkeypatch.setattr(sys, "executable", str(directory / "programs" / "python"))
        monkeypatch.setenv("PATH", str(directory / "programs"), prepend=":")

    def program(self, path: Path, exit_code: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >> {self._log}\nexit {exit_code}\n')
        path.chmod(0o755)

    def called(self) -> list[str]:
        return self._log.read_text().splitlines()


INSTALL = "python -m pip --quiet --disable-pip-version-check --no-input install"


def _environment(checkout: Path, commands: Commands, *stamped: str, root: str | None = None) -> None:
    """Make a `.venv` whose Python only writes down its calls, stamped for extras (without: for none)."""
    commands.program(checkout / ".venv/bin/python")
    content = {"root": root or str(checkout), "fingerprint": setup.fingerprint(), "extras": stamped}
    setup.STAMP.write_text(json.dumps(content))


def test_a_stamped_environment_is_left_alone(checkout: Path, commands: Commands) -> None:
    _environment(checkout, commands, "test")
    setup.install_python_packages((), usable_venv=True)
    setup.install_python_packages(("test",), usable_venv=True)
    assert commands.called() == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_brings_an_installation(checkout: Path, commands: Commands, changed: str) -> None:
    _environment(checkout, commands, "test")
    (checkout / "constraints.txt").touch()
    (checkout / changed).write_text("# changed")
    setup.install_python_packages((), usable_venv=True)
    # What was there once stays there.
    assert commands.called() == [f"{INSTALL} --constraint {checkout}/constraints.txt --editable .[test]"]
    assert setup.read_stamp()["fingerprint"] == setup.fingerprint()


def test_the_first_test_job_adds_to_the_demo_environment(checkout: Path, commands: Commands) -> None:
    _environment(checkout, commands)
    setup.install_python_packages(("test",), usable_venv=True)
    assert commands.called() == [f"{INSTALL} --editable .[test]"]
    assert setup.read_stamp()["extras"] == ["test"]


def test_an_environment_without_stamp_is_completed_and_not_thrown_away(checkout: Path, commands: Commands) -> None:
    _environment(checkout, commands)
    setup.STAMP.unlink()
    setup.install_python_packages((), usable_venv=True)
    assert commands.called() == [f"{INSTALL} --editable ."]


def test_a_moved_checkout_gets_a_new_environment(checkout: Path, commands: Commands) -> None:
    """Scripts in `.venv/bin` name the old place in their first line."""
    _environment(checkout, commands, root="/elsewhere")
    setup.install_python_packages((), usable_venv=True)
    assert commands.called() == [f"python -m venv --clear {checkout}/.venv", f"{INSTALL} --editable ."]
    assert setup.read_stamp()["root"] == str(checkout)


def test_a_failed_installation_leaves_no_stamp(checkout: Path, commands: Commands) -> None:
    commands.program(checkout / ".venv/bin/python", exit_code=1)
    with pytest.raises(setup.SetUpError, match=r"pip .* failed"):
        setup.install_python_packages((), usable_venv=True)
    assert not setup.STAMP.exists()


def test_the_lock_leaves_data_packages_out() -> None:
    text = setup.lock_text("Flask==3.1.3\nphonenumberslite==9.0.42\nalembic==1.20.1\npytz==2026.6\n-e /here\n")
    assert text.splitlines()[2:] == ["alembic==1.20.1", "Flask==3.1.3"]


def test_the_committed_lock_pins_no_data_package() -> None:
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert "flask" in pinned
    assert not pinned & setup.DATA_PACKAGES


@pytest.fixture
def packages(checkout: Path) -> Path:
    """The folder of the npm packages, with a lock."""
    folder = checkout / "recipes"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}")
    return folder


def test_npm_packages_are_installed_when_the_lock_changed(packages: Path, commands: Commands) -> None:
    setup.install_npm_packages(packages)
    setup.install_npm_packages(packages)
    assert commands.called() == [f"npm ci --prefix {packages}"]
    (packages / "package-lock.json").write_text('{"lockfileVersion": 3}')
    setup.install_npm_packages(packages)
    assert len(commands.called()) == 2


def test_npm_that_fails_leaves_no_stamp(
    packages: Path, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests skip then, and say so; where services are required the set-up ends."""
    monkeypatch.delenv(setup.REQUIRE_SERVICES, raising=False)
    commands.program(tmp_path / "programs/npm", exit_code=1)
    setup.install_npm_packages(packages)
    assert not (packages / "node_modules/.jingban").exists()
    monkeypatch.setenv(setup.REQUIRE_SERVICES, "1")
    with pytest.raises(setup.SetUpError, match="npm ci"):
        setup.install_npm_packages(packages)


@pytest.mark.parametrize("folder", [setup.RECIPES, setup.PEER], ids=lambda folder: folder.name)
def test_the_npm_lock_is_exact_and_names_no_registry(folder: Path) -> None:
    """Packages come from whatever registry npm is set up for, and are what they were by their hashes."""
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == wanted
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("resolved" not in package and package["integrity"] for package in packages.values())


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "SERVICES", {"redis-server": "/nowhere/*", "python3": sys.executable})
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda _name: None)
    assert setup.missing_packages(TEST_JOB, usable_venv=False) == ["python3-venv", "redis-server"]
    assert setup.missing_packages(TEST_JOB, usable_venv=True) == ["redis-server"]
    assert setup.missing_packages(setup._jobs()["demo"], usable_venv=True) == []


def test_root_updates_once_and_installs_the_missing_only(monkeypatch: pytest.MonkeyPatch, commands: Commands) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    setup.install_debian_packages(["redis-server"])
    assert commands.called() == ["apt-get update", "apt-get install --yes --no-install-recommends redis-server"]


def test_without_root_the_command_is_printed_and_the_job_goes_on(
    monkeypatch: pytest.MonkeyPatch, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv(setup.REQUIRE_SERVICES, raising=False)
    setup.install_debian_packages(["chromium-headless-shell", "redis-server"])
    assert "apt-get install --no-install-recommends chromium-headless-shell redis-server" in capsys.readouterr().out
    assert commands.called() == []


def test_without_root_nothing_goes_without_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(setup.SetUpError, match="apt-get install --no-install-recommends python3-venv"):
        setup.install_debian_packages(["python3-venv"])


def test_required_services_stop_the_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv(setup.REQUIRE_SERVICES, "1")
    with pytest.raises(setup.SetUpError, match="redis-server"):
        setup.install_debian_packages(["redis-server"])


def test_an_old_python_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert setup.main(["demo"]) == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_every_job_has_its_make_target_and_is_explained() -> None:
    lines = (ROOT / "Makefile").read_text()
    targets = dict(re.findall(r"^([a-z]+):.*## .+\n\t(.*)$", lines, re.MULTILINE))
    assert set(targets) == {"help", *setup._jobs()}
    for job in setup._jobs():
        assert targets[job].removesuffix(" $(ARGS)") == f"$(SETUP) {job}"


def test_required_services_end_the_session(tmp_path: Path) -> None:
    """The switch for CI: a missing service fails the run and is named; without it the tests are skipped."""
    one = ["-k", "redis_is_empty", "tests/tools/test_support.py"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *one]
    nothing = {"PATH": str(tmp_path), "HOME": os.environ.get("HOME", "/")}
    required = subprocess.run(
        command, cwd=ROOT, env={**nothing, setup.REQUIRE_SERVICES: "1"}, capture_output=True, text=True, check=False
    )
    assert required.returncode == 3
    said = required.stderr + required.stdout
    assert "missing here: Redis" in said
    assert "Node.js" in said
    lenient = subprocess.run(command, cwd=ROOT, env=nothing, capture_output=True, text=True, check=False)
    assert lenient.returncode == 0
    assert "2 skipped" in lenient.stdout
    assert "Redis is not installed" in lenient.stdout
