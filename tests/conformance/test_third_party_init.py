"""Plan "3rd-Party-Init OP" (`oidcc-3rdparty-init-login-certification-test-plan[response_type=code]`).

Each test is named after the module that it stands for. Beyond what the plan asks: where a user signs out of the list
of agreements and begins at the portal, in tests/flows/test_agreements.py; the portal's side in tests/recruitment/.
"""

from tests.conformance.dynamic import Registrar
from tests.conformance.suite import HOME

BASIC = {"token_endpoint_auth_method": "client_secret_basic", "jwks": None}
BEGIN = f"{HOME}dynamic/begin"


def test_oidcc_3rd_party_init_login(registrar: Registrar) -> None:
    """Registered, told again, and told once more by the client configuration endpoint; signing in works as ever."""
    client = registrar.client(**BASIC, initiate_login_uri=BEGIN)
    assert client.told["initiate_login_uri"] == BEGIN
    tokens = client.suite.sign_in()
    assert client.suite.userinfo(tokens["access_token"])["sub"] == tokens["claims"]["sub"]
    read = client.read()
    assert read.status_code == 200
    assert read.headers["Content-Type"].partition(";")[0] == "application/json"
    assert read.json()["initiate_login_uri"] == BEGIN


def test_oidcc_3rd_party_init_login_nohttps(registrar: Registrar) -> None:
    """Core §4: "The URI MUST use the https scheme"."""
    registrar.assert_refused("invalid_client_metadata", **BASIC, initiate_login_uri=BEGIN.replace("https", "http"))
