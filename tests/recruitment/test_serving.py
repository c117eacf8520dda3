"""The portal as it is really started: granian, settings from the environment, SIGTERM."""

import signal
import subprocess
import sys
from pathlib import Path

import requests

from tests.support.ports import free_port
from tests.support.processes import ROOT, spawn

COMMAND = [sys.executable, "-m", "relying_parties.recruitment"]


def test_it_serves_without_the_provider_and_stops(tmp_path: Path) -> None:
    port, nobody = free_port(), free_port()
    environment = {
        "RECRUITMENT_ISSUER": f"http://localhost:{nobody}",
        "RECRUITMENT_CLIENT_ID": "recruitment",
        "RECRUITMENT_CLIENT_SECRET": "secret-of-the-portal",
        "RECRUITMENT_BASE_URL": f"http://localhost:{port}",
        "RECRUITMENT_DATABASE": str(tmp_path / "portal.sqlite3"),
        "RECRUITMENT_KEY_FILE": str(tmp_path / "portal.key"),
    }
    url = f"http://localhost:{port}"
    with spawn([*COMMAND, "--port", str(port)], env=environment, health=f"{url}/health") as server:
        assert requests.get(f"{url}/health", timeout=10).json() == {"status": "ok"}
        assert "最新职位" in requests.get(url, timeout=10).text
        down = requests.get(f"{url}/login/unit", timeout=20)
        assert down.status_code == 503
        assert "暂时无法连接统一身份认证平台" in down.text
        assert server.stop(timeout=20) in {0, -signal.SIGTERM}
        assert "secret-of-the-portal" not in (tmp_path / "portal.sqlite3").read_bytes().decode(errors="replace")


def test_it_says_which_setting_is_missing() -> None:
    ended = subprocess.run(
        [*COMMAND, "--port", "1"], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "RECRUITMENT_ISSUER" in ended.stderr


def test_it_knows_nothing_of_the_provider_but_its_address() -> None:
    """The portal is an OIDC client like any other: it never imports idp."""
    code = "import sys, relying_parties.recruitment.wsgi; print([m for m in sys.modules if m.split('.')[0] == 'idp'])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
