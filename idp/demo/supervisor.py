"""Starts provider, worker, sandbox and portals as processes of their own, and stops them together."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from idp.app import create_app
from idp.demo import certificates, portals, seed
from idp.demo.addresses import Addresses, choose
from idp.demo.portals import PORTALS, Portal
from idp.settings import Settings, UpstreamSetting
from idp.store import hot, keyring, vault
from idp.store.migrations import upgrade

START_WITHIN = 60.0
STOP_WITHIN = 10.0
PROVIDER_WORKERS = 2

Start = Callable[[str, list[str], Mapping[str, str], str | None], None]


class DemoFailed(Exception):
    """A part of the demo did not come up or ended; the text names it and its log."""


def run(folder: Path, port: int, *, fresh: bool) -> None:
    """Run the demo in `folder` until Ctrl-C or SIGTERM. `fresh` begins with new data. Raises DemoFailed."""
    folder = folder.resolve()
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    stop = _told_to_stop()
    described = _remembered(folder)
    addresses = Addresses.from_demo(described) if described else choose(port)
    settings = _settings(folder, addresses)
    with _processes(folder / "logs") as start:
        start("sandbox", _sandbox(addresses, seed.sandbox_data(folder)), {}, f"{addresses.sms}/health")
        described = _prepare(settings, addresses, described)
        environment = _environment(settings)
        start("provider", _jingban("serve", addresses.provider), environment, f"{addresses.provider}/health")
        start("worker", [sys.executable, "-m", "idp", "worker"], environment, None)
        for portal in PORTALS:
            told = _told(folder, addresses, described, portal)
            base = getattr(addresses, portal.client_id)
            start(portal.client_id, _serve(portal, base), told, f"{base}/health")
        path = folder / "demo.json"
        path.write_text(json.dumps(described, ensure_ascii=False, indent=2) + "\n")
        _announce(described, path)
        stop.wait()


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _remembered(folder: Path) -> dict[str, Any] | None:
    """Return what an earlier run described, if its data is still there."""
    path = folder / "demo.json"
    if not path.exists() or not (folder / "jingban.sqlite3").exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _settings(folder: Path, addresses: Addresses) -> Settings:
    return Settings(
        issuer=addresses.provider,
        database_url=f"sqlite:///{folder / 'jingban.sqlite3'}",
        key_file=folder / "jingban.keys.json",
        sms_url=addresses.sms,
        sms_key="sandbox-sms",
        unionpay_url=addresses.unionpay,
        unionpay_key="sandbox-unionpay",
        company_register_url=addresses.company_register,
        company_register_key="sandbox-company-register",
        face_check_url=addresses.face_check,
        face_check_key="sandbox-face-check",
        upstreams=_upstreams(addresses),
        certificate_authorities=certificates.file_of_authority(folder),
        certificate_hardware_policies=(certificates.IN_HARDWARE,),
        fetch_allow_loopback=True,
        log_format="console",
    )


def _upstreams(addresses: Addresses) -> tuple[UpstreamSetting, ...]:
    """Return the province by its own protocol, and the social-security card by OpenID Connect."""
    return (
        UpstreamSetting(
            name="province",
            title="省统一身份认证",
            protocol="province",
            base_url=addresses.province,
            client_id="jingban",
            client_secret=SecretStr("sandbox-province"),
            upgrade_url=f"{addresses.province}/upgrade",
        ),
        UpstreamSetting(
            name="social-card",
            title="电子社保卡",
            protocol="oidc",
            issuer=f"{addresses.social_card}/oidc",
            client_id="jingban",
            client_secret=SecretStr("sandbox-social-card"),
            kinds=("person",),
            upgrade_url=f"{addresses.social_card}/upgrade",
        ),
    )


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings that differ from the defaults, as variables for a process."""
    plain = settings.model_dump(exclude_defaults=True)
    for name in ("sms_key", "unionpay_key", "company_register_key", "face_check_key"):
        plain[name] = getattr(settings, name).get_secret_value()
    plain["upstreams"] = json.dumps(
        [each.model_dump() | {"client_secret": each.client_secret.get_secret_value()} for each in settings.upstreams]
    )
    plain["certificate_hardware_policies"] = json.dumps(settings.certificate_hardware_policies)
    return {f"JINGBAN_{name.upper()}": str(value) for name, value in plain.items()}


def _prepare(settings: Settings, addresses: Addresses, described: dict[str, Any] | None) -> dict[str, Any]:
    """Migrate, and seed a new database. Returns what `demo.json` says."""
    if not settings.key_file.exists():
        vault.create(settings.key_file)
    app = create_app(settings)
    with app.app_context():
        upgrade()
        keyring.ensure_keys()
        found = seed.add_portals(described, addresses) if described else seed.fill(addresses)
        hot.close_all()
    return found | {"sandbox": addresses.sandbox()}


def _jingban(command: str, address: str) -> list[str]:
    port = address.rsplit(":", 1)[1]
    return [sys.executable, "-m", "idp", command, "--port", port, "--workers", str(PROVIDER_WORKERS)]


def _sandbox(addresses: Addresses, data: dict[str, Path]) -> list[str]:
    command = [sys.executable, "-m", "sandbox"]
    for option, address in addresses.sandbox().items():
        command += [f"--{option.replace('_', '-')}", address.rsplit(":", 1)[1]]
    for option, path in data.items():
        command += [f"--{option.replace('_', '-')}-data", str(path)]
    return command


def _serve(portal: Portal, address: str) -> list[str]:
    return [sys.executable, "-m", f"relying_parties.{portal.client_id}", "--port", address.rsplit(":", 1)[1]]


def _told(folder: Path, addresses: Addresses, described: dict[str, Any], portal: Portal) -> dict[str, str]:
    client = next(each for each in described["clients"] if each["client_id"] == portal.client_id)
    return portals.environment(portal, addresses, client, str(folder))


@contextmanager
def _processes(logs: Path) -> Iterator[Start]:
    """Yield a function that starts a process and waits for its health address; stop them all at the end."""
    logs.mkdir(exist_ok=True)
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, command: list[str], environment: Mapping[str, str], health: str | None) -> None:
        log = logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the commands are our own
                command,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        running.append(process)
        if health is not None:
            _wait_for(name, process, health, log)

    try:
        yield start
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            _see_off(process)


def _see_off(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(name: str, process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    give_up = time.monotonic() + START_WITHIN
    while time.monotonic() < give_up:
        if process.poll() is not None:
            msg = f"{name} ended at once; see {log}"
            raise DemoFailed(msg)
        try:
            if requests.get(health, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    msg = f"{name} does not answer at {health}; see {log}"
    raise DemoFailed(msg)


def _announce(described: dict[str, Any], path: Path) -> None:
    lines = ["", "经办 Jingban is running. Ctrl-C stops it.", ""]
    lines += [f"  provider         {described['issuer']}"]
    lines += [f"  {name:16} {address}" for name, address in described["portals"].items()]
    lines += [f"  {name:16} {address}" for name, address in described["sandbox"].items()]
    lines += ["", "  accounts"]
    for account in described["accounts"]:
        units = ", ".join(unit["name"] for unit in account["units"])
        lines.append(f"  {account['login']:14} {account['password']:14} {account['kind']:7} {units}")
    lines += [f"  单位授权码 of {login}: {code}" for login, code in described.get("authorisation_codes", {}).items()]
    lines += ["", f"  SMS arrive at {described['sandbox']['sms']}", f"  everything for scripts: {path}", ""]
    print("\n".join(lines), flush=True)
