"""Trap 9 of DESIGN 3: Authlib's request objects take `alg: none`, a foreign `aud` or `iss`, and objects without end.

Ours are in `idp/oidc/authorize/request_object.py`; the full tables stand in tests/oidc/test_par.py. Here each point of
the trap is walked by a client that is registered to sign.
"""

from typing import Any

import pytest

from tests.oidc import client_jwt
from tests.oidc.authorize.browser import CALLBACK, Browser, error_in, page_of, request_parameters
from tests.oidc.portal import Portal
from tests.support import rows


@pytest.mark.parametrize(
    ("changes", "is_taken"),
    [
        ({}, True),
        ({"alg": "none"}, False),
        ({"aud": "https://elsewhere.example"}, False),
        ({"iss": "somebody"}, False),
        ({"exp": None}, False),
    ],
    ids=str,
)
def test_each_point_of_the_trap(sqlite_portal: Portal, changes: dict[str, Any], is_taken: bool) -> None:
    rows.client("signing", redirect_uris=[CALLBACK], more={"jwks": client_jwt.key_set()})
    alg = changes.get("alg", "ES256")
    claims = {name: value for name, value in changes.items() if name != "alg"}
    text = client_jwt.request_object("signing", request_parameters(client_id="signing") | claims, alg=alg)
    answer = Browser(sqlite_portal.app).authorize(client_id="signing", request=text)
    if is_taken:
        assert page_of(answer)[0] == "/sign-in"
    else:
        assert error_in(answer) == "invalid_request_object"
