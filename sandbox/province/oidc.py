"""The same accounts by OpenID Connect: issuer `<address>/oidc`, code flow, PKCE (S256), RS256, client_secret_basic.

GET /oidc/.well-known/openid-configuration     GET /oidc/jwks      POST /oidc/rotate-keys (for operators and tests)
GET /oidc/authorize    POST /oidc/token        GET /oidc/userinfo
"""

import base64
import hashlib
import time
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from sandbox.pages import problem
from sandbox.province.accounts import Account
from sandbox.province.clients import Client
from sandbox.province.province import Grant, Province, province
from sandbox.province.sign_in import Wanted, sign_in_page, with_query

blueprint = Blueprint("oidc", __name__, url_prefix="/oidc")

PROTOCOL = "oidc"
ID_TOKEN_SECONDS = 300
CLAIMS = (
    *("sub", "name", "document_type", "document_number", "phone_number", "user_type"),
    *("trust_level", "trust_level_way", "trust_level_at", "legal_representative", "contact"),
)


def _issuer() -> str:
    return request.host_url.rstrip("/") + "/oidc"


@blueprint.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """OpenID Connect Discovery 1.0 §3. The issuer is the address at which it is asked."""
    issuer = _issuer()
    return jsonify(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        userinfo_endpoint=f"{issuer}/userinfo",
        jwks_uri=f"{issuer}/jwks",
        scopes_supported=["openid", "profile", "phone"],
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=["authorization_code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256"],
        token_endpoint_auth_methods_supported=["client_secret_basic"],
        code_challenge_methods_supported=["S256"],
        claims_supported=["iss", "aud", "exp", "iat", "auth_time", "nonce", *CLAIMS],
        authorization_response_iss_parameter_supported=True,
    )


@blueprint.get("/jwks")
def jwks() -> Response:
    """RFC 7517 §5."""
    return jsonify(province().keys.public())


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> ResponseReturnValue:
    """OpenID Connect Core §3.1.2, with PKCE demanded (RFC 7636) and `iss` in the answer (RFC 9207)."""
    asked = request.args
    client = province().clients.get(asked.get("client_id", ""))
    redirect_uri = asked.get("redirect_uri", "")
    if client is None or not client.may_receive(redirect_uri):
        return problem("应用未登记，或回调地址不在登记范围内")
    extra = [("iss", _issuer())]
    if "state" in asked:
        extra.insert(0, ("state", asked["state"]))
    error = _error_of_request()
    if error:
        return redirect(with_query(redirect_uri, [("error", error), *extra]))
    return sign_in_page(
        Wanted(PROTOCOL, client, redirect_uri, asked.get("nonce"), asked["code_challenge"], tuple(extra))
    )


def _error_of_request() -> str | None:
    asked = request.args
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope"
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "invalid_request"
    # Nobody stays signed in here.
    return "login_required" if "none" in asked.get("prompt", "").split() else None


@blueprint.post("/token")
def token() -> ResponseReturnValue:
    """OpenID Connect Core §3.1.3: a code for an ID token and an access token, once."""
    here, sent = province(), request.form
    client = _authenticated_client(here)
    if client is None:
        return jsonify(error="invalid_client"), 401, {"WWW-Authenticate": 'Basic realm="province"'}
    if sent.get("grant_type") != "authorization_code":
        return jsonify(error="unsupported_grant_type"), 400
    grant = here.codes.claim(sent.get("code", ""))
    if grant is None or not _is_for(grant, client):
        return jsonify(error="invalid_grant"), 400
    account = here.usable_account(grant.useridcode)
    if account is None:
        return jsonify(error="invalid_grant", error_description="account disabled"), 400
    return jsonify(
        access_token=here.tokens.issue(grant),
        token_type="Bearer",  # noqa: S106 - the name of a kind of token
        expires_in=int(here.tokens.seconds),
        id_token=_id_token(here, grant, account),
    )


def _authenticated_client(here: Province) -> Client | None:
    basic = request.authorization
    if basic is None or basic.type != "basic":
        return None
    return here.client(basic.username or "", basic.password or "")


def _is_for(grant: Grant, client: Client) -> bool:
    """Whether the request's client, redirect URI and verifier are those of the authorization request."""
    digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    issued_for = (PROTOCOL, client.client_id, request.form.get("redirect_uri"), challenge)
    return (grant.protocol, grant.client_id, grant.redirect_uri, grant.challenge) == issued_for


def _id_token(here: Province, grant: Grant, account: Account) -> str:
    """Return the ID token; the fault of the moment makes it one that nobody may take."""
    now = int(time.time())
    if here.has_fault("expired_token"):
        now -= 86_400
    nonce = "nonce-of-another" if here.has_fault("wrong_nonce") else grant.nonce
    claims = {
        "iss": _issuer(),
        "aud": "another-client" if here.has_fault("foreign_audience") else grant.client_id,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
        "auth_time": now,
        **({} if nonce is None else {"nonce": nonce}),
        **_claims(here, account),
    }
    return here.keys.sign(claims, wrongly=here.has_fault("wrong_signature"))


def _claims(here: Province, account: Account) -> dict[str, Any]:
    """Return what is known of the account; what is not known is left out."""
    shown: dict[str, Any] = {
        "sub": account.useridcode,
        "name": account.name,
        "document_type": account.document_type,
        "document_number": account.document_number,
        "phone_number": account.phone,
        "user_type": account.kind,
        "trust_level": here.stated_level(account),
        "trust_level_way": account.level_way,
        "trust_level_at": account.level_at and int(account.level_at.timestamp()),
        "legal_representative": account.legal_representative and account.legal_representative.as_json(),
        "contact": account.contact and account.contact.as_json(),
    }
    return {name: value for name, value in shown.items() if value is not None}


@blueprint.get("/userinfo")
def userinfo() -> ResponseReturnValue:
    """OpenID Connect Core §5.3."""
    here = province()
    bearer = request.authorization
    grant = here.tokens.look(bearer.token or "") if bearer is not None and bearer.type == "bearer" else None
    account = here.usable_account(grant.useridcode) if grant is not None and grant.protocol == PROTOCOL else None
    if account is None:
        return jsonify(error="invalid_token"), 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return jsonify(_claims(here, account))


@blueprint.post("/rotate-keys")
def rotate_keys() -> Response:
    """Sign with a new key from now on. The old one is gone from the key set at once, as after a compromise."""
    return jsonify(kid=province().keys.rotate())
