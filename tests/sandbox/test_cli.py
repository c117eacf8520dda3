"""`python -m sandbox`: ports, data, keys, and a clean end."""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.client import KEY, Client
from tests.sandbox.province import UNIT
from tests.sandbox.test_company_register import ENTRY, USCC
from tests.sandbox.test_face_check import FACE
from tests.sandbox.test_sms_gateway import MESSAGE
from tests.sandbox.test_unionpay import CARD
from tests.support.ports import free_port
from tests.support.processes import Spawned, spawn

SYSTEMS = ["sms", "unionpay", "company_register", "province", "social_card", "face_check", "certificates"]
COMMAND = (sys.executable, "-m", "sandbox")


def announced(output: str) -> Any:
    """Return the ports that were announced, among the requests that are logged beside: the first can come sooner."""
    [line] = [line for line in output.splitlines() if line.startswith("{")]
    return json.loads(line)


def wait_for(path: Path, server: Spawned) -> dict[str, int]:
    """Return the ports once the file is there."""
    give_up = time.monotonic() + 20
    while not path.exists():
        assert server.process.poll() is None, server.tail()
        assert time.monotonic() < give_up, server.tail()
        time.sleep(0.02)
    ports: dict[str, int] = json.loads(path.read_text())
    return ports


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_one_process_hosts_all_and_ends_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    ports_file = tmp_path / "ports.json"
    systems = [part for system in SYSTEMS for part in (f"--{system.replace('_', '-')}", "0")]
    command = (*COMMAND, *systems, "--ports-file", str(ports_file))
    with spawn(command) as server:
        ports = wait_for(ports_file, server)
        assert list(ports) == SYSTEMS
        clients = {name: Client(f"http://127.0.0.1:{port}") for name, port in ports.items()}
        assert [client.get("/health").json() for client in clients.values()] == [{"status": "ok"}] * 7
        assert clients["sms"].post("/sms/send", MESSAGE, key="sandbox-sms").status_code == 200
        assert clients["sms"].get("/sms/messages", params={"phone": MESSAGE["phone"]}).status_code == 200
        assert (
            clients["unionpay"].post("/unionpay/verify", CARD, key="sandbox-unionpay").json()["result"] == "mismatch"
        )
        assert clients["company_register"].get(f"/companies/{USCC}", key="sandbox-company-register").status_code == 404
        card = f"{clients['social_card'].url}/oidc"
        assert clients["social_card"].get("/oidc/.well-known/openid-configuration").json()["issuer"] == card
        assert clients["province"].get("/sso/oauth2/tokeninfo").json()["errcode"] == 40101
        assert clients["face_check"].post("/face/sessions", FACE, key="sandbox-face-check").status_code == 201
        assert clients["certificates"].get("/crl").status_code == 200
        clients["sms"].fault("slow", seconds=60)
        with pytest.raises(requests.ReadTimeout):
            requests.post(f"{clients['sms'].url}/sms/send", json=MESSAGE, timeout=0.3, proxies={"http": ""})
        started = time.monotonic()
        server.process.send_signal(stop)
        assert server.process.wait(10) == 0
        assert time.monotonic() - started < 5, "a slow answer held up the end"
        output = server.output()
    assert announced(output) == ports
    assert "Traceback" not in output
    assert str(MESSAGE["phone"]).lstrip("+") not in output, "a phone stands in the log"
    for port in ports.values():
        with pytest.raises(requests.ConnectionError):
            Client(f"http://127.0.0.1:{port}").get("/health")


def test_keys_ports_and_data_are_taken_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "cards.json").write_text(json.dumps([CARD]))
    (tmp_path / "companies.json").write_text(json.dumps([ENTRY]))
    bank, register = free_port(), free_port()
    command = (
        *(*COMMAND, "--unionpay", str(bank), "--unionpay-key", KEY, "--unionpay-data", str(tmp_path / "cards.json")),
        *("--company-register", str(register), "--company-register-key", KEY),
        *("--company-register-data", str(tmp_path / "companies.json")),
    )
    with spawn(command, health=f"http://127.0.0.1:{register}/health") as server:
        assert Client(f"http://127.0.0.1:{bank}").post("/unionpay/verify", CARD).json()["result"] == "match"
        assert Client(f"http://127.0.0.1:{register}").get(f"/companies/{USCC}").json() == ENTRY
        assert announced(server.output()) == {"unionpay": bank, "company_register": register}


def test_nothing_survives_a_restart() -> None:
    port = free_port()
    for _ in range(2):
        with spawn((*COMMAND, "--sms", str(port)), health=f"http://127.0.0.1:{port}/health"):
            client = Client(f"http://127.0.0.1:{port}")
            assert client.get("/sms/messages").json() == []
            assert client.get("/faults").json()["mode"] == "none"
            client.post("/sms/send", MESSAGE, key="sandbox-sms")
            client.fault("error")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name at least one system"),
        (("--sms", "70000"), "a port is between 0 and 65535"),
        (("--sms", "many"), "invalid"),
        (("--sms", "0", "--sms-data", "x"), "unrecognized arguments"),
        (("--social-card", "0", "--social-card-data", "units.json"), "legal_entities"),
        (("--unionpay", "0", "--unionpay-data", "absent.json"), "absent.json"),
        (("--unionpay", "0", "--unionpay-data", "cards.json"), "card_number"),
        (("--unionpay", "0", "--unionpay-data", "broken.json"), "cannot start"),
    ],
)
def test_wrong_arguments_are_said_at_once(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "cards.json").write_text(json.dumps([CARD | {"card_number": 5}]))
    (tmp_path / "broken.json").write_text("[")
    (tmp_path / "units.json").write_text(json.dumps({"legal_entities": [UNIT]}))
    placed = [str(tmp_path / part) if part.endswith(".json") else part for part in arguments]
    with spawn((*COMMAND, *placed)) as server:
        assert server.process.wait(20) == 2
        assert said in server.output()
