"""The province's own protocol: like OAuth 2.0, but without state, PKCE and client authentication in a header.

GET /sso/connect/page/oauth2/authorize?client_id&service=initService&scope=all&response_type=code&redirect_uri
GET /sso/oauth2/access_token?client_id&client_secret&code&scope=all&grant_type=authorization_code&redirect_uri
GET /sso/oauth2/tokeninfo?access_token=

What fails is answered with 200 and {"errcode": number, "errmsg": text}.
"""

from datetime import timedelta, timezone
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.pages import problem
from sandbox.province.accounts import Account, Party
from sandbox.province.province import Grant, Province, province
from sandbox.province.sign_in import Wanted, sign_in_page

blueprint = Blueprint("sso", __name__, url_prefix="/sso")

PROTOCOL = "sso"
WRONG_CLIENT = (40001, "client_id或client_secret不正确")
WRONG_REQUEST = (40002, "请求参数不正确")
WRONG_CODE = (40003, "code无效或已过期")
WRONG_TOKEN = (40101, "access_token无效或已过期")
ACCOUNT_DISABLED = (40301, "账号已停用")
BEIJING = timezone(timedelta(hours=8))
DOCUMENT_TYPES = {"resident_id": "10", "passport": "20", "uscc": "49", "org_code": "50"}
OTHER_DOCUMENT = "40"


@blueprint.route("/connect/page/oauth2/authorize", methods=["GET", "POST"])
def authorize() -> ResponseReturnValue:
    """Let someone sign in, and send them back with a code. An incomplete request is told to them, to nobody else."""
    asked = request.args
    client = province().clients.get(asked.get("client_id", ""))
    redirect_uri = asked.get("redirect_uri", "")
    if client is None or not client.may_receive(redirect_uri):
        return problem("应用未登记，或回调地址不在登记范围内")
    constants = {"service": "initService", "scope": "all", "response_type": "code"}
    if any(asked.get(name) != value for name, value in constants.items()):
        return problem("请求参数不正确")
    return sign_in_page(Wanted(PROTOCOL, client, redirect_uri))


@blueprint.get("/oauth2/access_token")
def access_token() -> Response:
    """Give a token for a code, once."""
    here, asked = province(), request.args
    client = here.client(asked.get("client_id", ""), asked.get("client_secret", ""))
    if client is None:
        return _failed(WRONG_CLIENT)
    if asked.get("grant_type") != "authorization_code" or asked.get("scope") != "all":
        return _failed(WRONG_REQUEST)
    grant = here.codes.claim(asked.get("code", ""))
    issued_for = (PROTOCOL, client.client_id, asked.get("redirect_uri"))
    if grant is None or (grant.protocol, grant.client_id, grant.redirect_uri) != issued_for:
        return _failed(WRONG_CODE)
    return jsonify(
        access_token=here.tokens.issue(grant),
        expires_in=int(here.tokens.seconds),
        token_type="bearer",  # noqa: S106 - the name of a kind of token
    )


@blueprint.get("/oauth2/tokeninfo")
def token_info() -> Response:
    """Say whose token it is."""
    here = province()
    grant: Grant | None = here.tokens.look(request.args.get("access_token", ""))
    if grant is None or grant.protocol != PROTOCOL or here.has_fault("expired_token"):
        return _failed(WRONG_TOKEN)
    account = here.usable_account(grant.useridcode)
    if account is None:
        return _failed(ACCOUNT_DISABLED)
    return jsonify(userobj=_user_object(here, account))


def _user_object(here: Province, account: Account) -> dict[str, Any]:
    """Return the account in the province's own words; what is not known is an empty string, as over there."""
    level = here.stated_level(account)
    shown = {
        "uid": account.login,
        "useridcode": account.useridcode,
        "cn": account.name,
        "usertype": "1" if account.kind == "person" else "2",
        "idcardtype": _document_type(account.document_type),
        "idcardnumber": account.document_number,
        "telephonenumber": _local_phone(account.phone),
        "isreal": "1" if account.level in {"L1", "L2", "L3"} else "0",
        "creditable_level_of_account": level,
        "creditable_level_of_account_way": account.level_way,
        "creditable_level_of_account_time": account.level_at
        and account.level_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        "origin": here.profile.name,
    }
    if account.kind == "legal":
        shown |= _people(account)
    if level is None:
        del shown["creditable_level_of_account"]
    return {name: value or "" for name, value in shown.items()}


def _people(account: Account) -> dict[str, str | None]:
    representative, contact = account.legal_representative or _NOBODY, account.contact or _NOBODY
    return {
        "legal_person": representative.name,
        "legal_code": representative.document_number,
        "link_person_name": contact.name,
        "link_person_type": _document_type(contact.document_type) if contact.name else "",
        "link_person_code": contact.document_number,
    }


_NOBODY = Party("", "", None, None)


def _document_type(document_type: str) -> str:
    return DOCUMENT_TYPES.get(document_type, OTHER_DOCUMENT)


def _local_phone(phone: str | None) -> str | None:
    """Return a mainland number as it is dialled there; the province writes no country code."""
    return phone and phone.removeprefix("+86")


def _failed(failure: tuple[int, str]) -> Response:
    errcode, errmsg = failure
    return jsonify(errcode=errcode, errmsg=errmsg)
