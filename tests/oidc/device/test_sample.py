"""The device of docs/integrate/device.md, run as it stands there, against a real server."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from idp.features import DEVICE_CODE
from idp.sessions import device_codes
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.ports import free_port
from tests.support.signing import plant_keys
from tests.support.visitor import Visitor

PAGE = Path(__file__).parents[3] / "docs" / "integrate" / "device.md"


@pytest.fixture
def served(make_app: MakeApp, migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(device_codes, "INTERVAL", 1)
    port = free_port()
    app = make_app(migrated_sqlite_url, issuer=f"http://localhost:{port}")
    with app.app_context():
        plant_keys()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_sample_signs_in(served: Flask, tmp_path: Path) -> None:
    issuer = served.extensions["jingban.settings"].issuer
    with served.app_context():
        scopes = ["openid", "profile"]
        rows.client(
            "hall", secret_hash=None, token_endpoint_auth_method="none", grant_types=[DEVICE_CODE], scopes=scopes
        )
        person = rows.person()
        token = rows.signed_in(person)
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    sample = tmp_path / "device.py"
    sample.write_text(script)
    environment = {**os.environ, "ISSUER": issuer, "CLIENT_ID": "hall", "NO_PROXY": "*", "PYTHONIOENCODING": "utf-8"}
    device = subprocess.Popen([sys.executable, sample], env=environment, stdout=subprocess.PIPE, text=True)
    assert device.stdout is not None
    shown = next(line for line in device.stdout if line.startswith(issuer))
    address, code = shown.split()
    visitor = Visitor()
    visitor.http.cookies.set("jingban_session", token)
    visitor.get(address).submit("user_code", user_code=code).submit("consent", consent="allow")
    assert "设备已登录" in visitor.text
    rest, _ = device.communicate(timeout=30)
    assert device.returncode == 0
    assert f"signed in: {person}" in rest
