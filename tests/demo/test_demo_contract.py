"""DESIGN 10: a script that knows only `demo.json` signs in, picks the unit, and gets tokens it can check.

The demo runs as a user runs it. Everything here is plain HTTP and joserfc; nothing of the provider is imported.
"""

import base64
import hashlib
import json
import re
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.ports import free_port
from tests.support.processes import spawn
from tests.support.visitor import Visitor

SCOPE = "openid profile offline_access rec.position rec.company"
pytestmark = pytest.mark.xdist_group("demo")


@dataclass
class Demo:
    """What the script knows: `demo.json` and what discovery says."""

    described: dict[str, Any]
    metadata: dict[str, Any]

    @property
    def client(self) -> dict[str, Any]:
        return next(each for each in self.described["clients"] if each["acts_for"] != "never")

    @property
    def agent(self) -> dict[str, Any]:
        return next(
            each for each in self.described["accounts"] if any(unit["businesses"] for unit in each.get("units", []))
        )

    def unit_with_businesses(self) -> dict[str, Any]:
        return next(unit for unit in self.agent["units"] if unit["businesses"])

    def post(self, endpoint: str, **form: str) -> requests.Response:
        credentials = (self.client["client_id"], self.client["client_secret"])
        return requests.post(self.metadata[endpoint], data=form, auth=credentials, timeout=20)

    def key_set(self) -> KeySet:
        return KeySet.import_key_set(requests.get(self.metadata["jwks_uri"], timeout=10).json())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A fresh demo on free ports."""
    folder = tmp_path_factory.mktemp("demo") / "var"
    port = free_port()
    command = [sys.executable, "-m", "idp", "demo", "--folder", str(folder), "--port", str(port)]
    with spawn(command) as process:
        give_up = time.monotonic() + 90
        while not _written(folder / "demo.json"):
            assert process.process.poll() is None, process.tail()
            assert time.monotonic() < give_up, process.tail()
            time.sleep(0.1)
        described = json.loads((folder / "demo.json").read_text())
        address = described["issuer"] + "/.well-known/openid-configuration"
        yield Demo(described, requests.get(address, timeout=10).json())


def _written(path: Path) -> bool:
    return path.exists() and path.read_text().endswith("\n")


def authorize(demo: Demo, unit: str, **more: str) -> tuple[dict[str, str], str]:
    """Sign in as the agent, choose `unit`, allow; return the answer at the redirect URI, and the PKCE verifier."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri = demo.client["redirect_uris"][0]
    query = {
        "response_type": "code",
        "client_id": demo.client["client_id"],
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": "state-of-the-script",
        "nonce": "nonce-of-the-script",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | more
    visitor = Visitor(redirect_uri)
    visitor.get(demo.metadata["authorization_endpoint"], **query)
    visitor.submit("username", username=demo.agent["login"], password=demo.agent["password"], as_unit="y")
    assert "unit" in visitor.form("unit").names(), "the chooser"
    visitor.submit("unit", unit=unit)
    if not visitor.url.startswith(redirect_uri):
        visitor.submit("consent", consent="allow")
    assert visitor.url.startswith(redirect_uri), (visitor.url, visitor.text[:500])
    answer = {name: values[0] for name, values in parse_qs(urlsplit(visitor.url).query).items()}
    return answer, verifier


def redeem(demo: Demo, code: str, verifier: str) -> requests.Response:
    return demo.post(
        "token_endpoint",
        grant_type="authorization_code",
        code=code,
        redirect_uri=demo.client["redirect_uris"][0],
        code_verifier=verifier,
    )


def is_active(demo: Demo, token: str) -> bool:
    return bool(demo.post("introspection_endpoint", token=token).json()["active"])


def test_tokens_say_who_acts_for_whom(demo: Demo) -> None:
    """C2, C3: both tokens' claims are those of DESIGN 4, and nothing else is granted."""
    unit = demo.unit_with_businesses()
    answer, verifier = authorize(demo, unit["id"])
    assert answer["state"] == "state-of-the-script"
    assert answer["iss"] == demo.described["issuer"]
    response = redeem(demo, answer["code"], verifier)
    assert response.status_code == 200, response.text
    tokens = response.json()
    keys = demo.key_set()
    id_token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    access = jwt.decode(tokens["access_token"], keys, algorithms=["ES256"])

    assert id_token["iss"] == access.claims["iss"] == demo.described["issuer"]
    assert id_token["aud"] == demo.client["client_id"]
    assert id_token["nonce"] == "nonce-of-the-script"
    assert id_token["sub"].startswith("p_")
    acting_for = id_token["acting_for"]
    assert acting_for["sub"] == unit["id"]
    assert acting_for["sub_profile"] == "organization"
    assert acting_for["uscc"] == unit["uscc"]
    assert acting_for["name"] == unit["name"]
    assert acting_for["capacity"] == unit["kind"]
    assert acting_for["binding"].startswith("b_")
    assert isinstance(acting_for["verified"], bool)

    assert access.header["typ"] == "at+jwt"
    assert access.claims["sub"] == unit["id"], "an API that ignores `act` finds the unit, never the person"
    assert access.claims["sub_profile"] == "organization"
    assert access.claims["act"] == {"sub": id_token["sub"], "sub_profile": "user"}
    assert access.claims["client_id"] == demo.client["client_id"]
    assert isinstance(access.claims["aud"], str)
    assert access.claims["sid"] == id_token["sid"]
    business = set(access.claims["scope"].split()) - {"openid", "profile", "offline_access"}
    assert business == set(unit["businesses"])
    [detail] = access.claims["authorization_details"]
    assert detail["type"] == "unit_delegation"
    assert detail["identifier"] == unit["id"]
    assert set(detail["actions"]) == set(unit["businesses"])
    assert 0 < access.claims["exp"] - access.claims["iat"] <= 300

    userinfo = requests.get(
        demo.metadata["userinfo_endpoint"],
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        timeout=10,
    ).json()
    assert userinfo["sub"] == id_token["sub"]
    assert userinfo["acting_for"]["sub"] == unit["id"]


def test_replayed_code_is_refused_and_kills_what_it_issued(demo: Demo) -> None:
    """Trap 2 of DESIGN 3, RFC 6749 §4.1.2."""
    answer, verifier = authorize(demo, demo.unit_with_businesses()["id"])
    tokens = redeem(demo, answer["code"], verifier).json()
    assert is_active(demo, tokens["access_token"])
    replay = redeem(demo, answer["code"], verifier)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert not is_active(demo, tokens["access_token"])
    assert not is_active(demo, tokens["refresh_token"])
    refreshed = demo.post("token_endpoint", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")


def test_parallel_redemption_pays_out_once(demo: Demo) -> None:
    """Trap 1 of DESIGN 3: sixteen at once, one answer, no server error."""
    answer, verifier = authorize(demo, demo.unit_with_businesses()["id"])
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: redeem(demo, answer["code"], verifier), range(16)))
    statuses = sorted(each.status_code for each in answers)
    assert statuses == [200] + [400] * 15
    assert {each.json()["error"] for each in answers if each.status_code == 400} == {"invalid_grant"}


def test_person_may_act_for_themselves(demo: Demo) -> None:
    """C1, C5: "myself" at the chooser gives a personal token without business."""
    answer, verifier = authorize(demo, "self")
    tokens = redeem(demo, answer["code"], verifier).json()
    keys = demo.key_set()
    id_token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    access = jwt.decode(tokens["access_token"], keys, algorithms=["ES256"]).claims
    assert "acting_for" not in id_token
    assert access["sub"] == id_token["sub"]
    assert "act" not in access
    assert not any(scope.startswith("rec.") for scope in access["scope"].split())


def test_everything_that_the_demo_names_answers(demo: Demo) -> None:
    """DESIGN 10: issuer, portals and sandbox are up, and every account signs in."""
    for address in (*demo.described["portals"].values(), *demo.described["sandbox"].values()):
        assert requests.get(address + "/health", timeout=10).ok
    for account in demo.described["accounts"]:
        visitor = Visitor()
        visitor.get(demo.described["issuer"] + "/sign-in", tab="unit" if account["kind"] == "unit" else "person")
        visitor.submit("username", username=account["login"], password=account["password"])
        assert "/sign-in" not in visitor.url, account["login"]
    assert isinstance(requests.get(demo.described["sandbox"]["sms"] + "/sms/messages", timeout=10).json(), list)


def test_the_code_that_the_demo_prints_makes_its_unit_real_named(demo: Demo) -> None:
    """U14, C5: at the service hall the unit is greyed, and the button beside it takes the code."""
    [(login, code)] = demo.described["authorisation_codes"].items()
    assert login in {each["login"] for each in demo.described["accounts"]}
    hall = next(each for each in demo.described["clients"] if each["client_id"] == "service_hall")
    visitor = Visitor(hall["redirect_uris"][0])
    query = {
        "response_type": "code",
        "client_id": hall["client_id"],
        "redirect_uri": hall["redirect_uris"][0],
        "scope": "openid hall.report",
        "code_challenge": secrets.token_urlsafe(32),
        "code_challenge_method": "S256",
    }
    visitor.get(demo.metadata["authorization_endpoint"], **query)
    visitor.submit("username", username=demo.agent["login"], password=demo.agent["password"], as_unit="y")
    unverified = demo.agent["units"][-1]["id"]
    assert unverified not in visitor.form("unit").choices["unit"]
    [address] = re.findall(r'href="([^"]+/verification[^"]+)"[^>]*>单位实名认证', visitor.text)
    visitor.get(demo.described["issuer"] + address.replace("&amp;", "&"))
    visitor.submit("code", code=code)
    assert unverified in visitor.form("unit").choices["unit"]
