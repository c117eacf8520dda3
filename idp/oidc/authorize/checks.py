"""The checks of an authorization request: one ordered list that reads like the specifications.

A check looks at the case and returns the fields of the `AuthorizationRequest` that it settles; it raises an OAuth
error, which goes to the client, or a `DomainError`, which is shown to the person. Whatever brings the parameters (a
query, a form, one day a pushed or signed request) goes through the same list.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from idp.clients.registration import STANDARD_SCOPES
from idp.delegation import catalogue
from idp.features import Feature
from idp.oidc import errors, id_token_hint, resources
from idp.oidc.authorize import check_delegation, claims_parameter
from idp.oidc.authorize.claims_parameter import ClaimsAsked
from idp.oidc.authorize.trust import Case
from idp.oidc.strict_json import JsonRefused
from idp.rules.levels import parse_acr
from idp.rules.login_names import LoginNameFormat, check_login_name
from idp.rules.origins import origin_of
from idp.sessions.authorization_request import AuthorizationRequest
from idp.settings import settings
from idp.store.db import db

Fields = Mapping[str, Any]
Check = Callable[[Case], Fields]

QUERY, FORM_POST = "query", "form_post"
PROMPTS = frozenset({"none", "login", "consent", "select_account", "create"})
KNOWN = (
    *(
        "acr_values",
        "authorization_details",
        "claims",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
    ),
    *("id_token_hint", "login_hint", "max_age", "nonce", "org_hint", "prompt", "redirect_uri", "registration"),
    *("request", "request_uri", "response_mode", "response_type", "scope", "state", "ui_locales"),
)

_S256 = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_SETTLED: Fields = {}


def run(case: Case) -> AuthorizationRequest:
    """Return the checked request. Raises OAuth2Error for the client, DomainError for a page."""
    fields: dict[str, Any] = {"client_id": case.client.client_id, "redirect_uri": case.redirect_uri}
    for check in CHECKS:
        fields.update(check(case))
    return AuthorizationRequest(**fields)


def response_mode_of(case: Case) -> str:
    """Return how to answer, also before the checks and when they fail: form_post where it may be, else query."""
    # OAuth 2.0 Form Post Response Mode §2: a form is posted, so the target must be a web address; a script address
    # would run in our origin.
    is_form = case.parameters.get("response_mode") == FORM_POST
    return FORM_POST if is_form and origin_of(case.redirect_uri).startswith("http") else QUERY


def each_parameter_once(case: Case) -> Fields:
    """RFC 6749 §3.1: parameters MUST NOT be included more than once; unknown ones are ignored."""
    if case.parameters.spoilt(*KNOWN):
        raise errors.InvalidRequestError("A parameter is repeated, too long, or not valid text")
    return _SETTLED


def request_could_be_had(case: Case) -> Fields:
    """RFC 9101 §6, RFC 9126 §4: what stands elsewhere was found there and is right."""
    if case.defect is not None:
        raise case.defect
    return {"pushed": case.pushed}


def no_self_issued_registration(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.6."""
    if case.parameters.get("registration") is not None:
        raise errors.RegistrationNotSupportedError("The registration parameter is not supported")
    return _SETTLED


def pushed_where_demanded(case: Case) -> Fields:
    """RFC 9126 §6; FAPI 2.0 Security Profile §5.3.2.2: only pushed requests."""
    protocol = case.client.protocol
    if case.pushed is None and (protocol.require_pushed_authorization_requests or protocol.profile):
        raise errors.InvalidRequestError("This client must push its authorization requests")
    return _SETTLED


def signed_where_demanded(case: Case) -> Fields:
    """RFC 9101 §10.5."""
    if case.client.protocol.require_signed_request_object and not case.is_signed:
        raise errors.InvalidRequestError("This client must sign its authorization requests")
    return _SETTLED


def response_type_code(case: Case) -> Fields:
    """RFC 6749 §3.1.1: required; RFC 9700 §2.1.2: no tokens from this endpoint, so `code` alone is known."""
    response_type = case.parameters.get("response_type")
    if response_type is None:
        raise errors.InvalidRequestError("response_type is missing")
    if response_type != "code":
        raise errors.UnsupportedResponseTypeError
    if "authorization_code" not in case.client.grant_types:  # RFC 6749 §4.1.2.1
        raise errors.UnauthorizedClientError("This client is not registered for authorization codes")
    return {"response_type": response_type}


def response_mode_known(case: Case) -> Fields:
    """OAuth 2.0 Multiple Response Types §2.1 (query is the default of `code`); Form Post Response Mode §2."""
    if case.parameters.get("response_mode") not in {None, response_mode_of(case)}:
        raise errors.InvalidRequestError("This response_mode is not supported here")
    return {"response_mode": response_mode_of(case)}


def scope_allowed(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.1: `openid` is required, and what is not understood is ignored.

    RFC 6749 §4.1.2.1: what we do know and this client may not have is `invalid_scope`.
    """
    asked = tuple(dict.fromkeys((case.parameters.get("scope") or "").split()))
    if "openid" not in asked:
        raise errors.InvalidScopeError("The scope must contain openid")
    others = [each for each in asked if each not in case.client.scopes]
    if any(each in STANDARD_SCOPES for each in others) or catalogue.by_code(db.session(), others):
        raise errors.InvalidScopeError("The scope holds a value that this client is not registered for")
    return {"scope": tuple(each for each in asked if each in case.client.scopes)}


def pkce_s256(case: Case) -> Fields:
    """RFC 7636 §4.3 with RFC 9700 §2.1.1: S256 for every client; without a method it would mean plain (trap 4).

    A confidential client may be registered to go without; what it sends is checked all the same.
    """
    challenge = case.parameters.get("code_challenge")
    if challenge is None:
        if case.client.protocol.require_pkce or case.parameters.get("code_challenge_method") is not None:
            raise errors.InvalidRequestError("code_challenge is missing")
        return _SETTLED
    if case.parameters.get("code_challenge_method") != "S256":
        raise errors.InvalidRequestError("code_challenge_method must be S256")
    if not _S256.fullmatch(challenge):
        raise errors.InvalidRequestError("code_challenge is not the base64url of a SHA-256 hash")
    return {"code_challenge": challenge}


def values_to_return(case: Case) -> Fields:
    """RFC 6749 §4.1.1 `state` and OpenID Connect Core §3.1.2.1 `nonce`: opaque here, given back unchanged."""
    return {"state": case.parameters.get("state"), "nonce": case.parameters.get("nonce")}


def prompt_consistent(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.1: a list of known values; `none` with any other value is an error."""
    prompt = tuple(dict.fromkeys((case.parameters.get("prompt") or "").split()))
    if not PROMPTS.issuperset(prompt):
        raise errors.InvalidRequestError("prompt holds an unknown value")
    if "none" in prompt and len(prompt) > 1:
        raise errors.InvalidRequestError("prompt=none stands alone")
    return {"prompt": prompt}


def max_age_number(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.1: seconds; 0 means a sign-in of its own for this request.

    Without one the client's `default_max_age` counts (Dynamic Client Registration §2).
    """
    max_age = case.parameters.get("max_age")
    if max_age is None:
        return {"max_age": case.client.protocol.default_max_age}
    if not _SECONDS.fullmatch(max_age):
        raise errors.InvalidRequestError("max_age is not a number of seconds")
    return {"max_age": int(max_age)}


def hints(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.1: `ui_locales` and `login_hint`, which we may pass over.

    The login hint waits in the interaction in clear; so it is kept only if it is a login name, not a phone or a
    document number.
    """
    login_hint = case.parameters.get("login_hint")
    try:
        known = check_login_name(login_hint) if login_hint else None
    except LoginNameFormat:
        known = None
    return {"login_hint": known, "ui_locales": tuple((case.parameters.get("ui_locales") or "").split())}


def subject_hinted(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.1 `id_token_hint`, §5.5.1 `sub` with a value: who must be signed in.

    A hint is an ID token that we signed for this client, expired or not.
    """
    token, wanted = case.parameters.get("id_token_hint"), _claims(case).sub
    if token is None:
        return {"id_token_hint_sub": wanted}
    hint = id_token_hint.read(token)
    if hint is None or hint.client_id != case.client.client_id:
        raise errors.InvalidRequestError("id_token_hint is not an ID token of this issuer for this client")
    if wanted not in {None, hint.sub}:
        raise errors.InvalidRequestError("id_token_hint and the claims parameter name different subjects")
    return {"id_token_hint_sub": hint.sub, "id_token_hint_sid": hint.sid}


def authentication_context(case: Case) -> Fields:
    """OpenID Connect Core §3.1.2.1 `acr_values` (voluntary) and §5.5.1.1 `acr` of the claims parameter.

    An essential `acr` of which we know no value can never be met; unknown voluntary values are passed over. A request
    that names none has the client's `default_acr_values` (Dynamic Client Registration §2).
    """
    claims = _claims(case)
    voluntary = (case.parameters.get("acr_values") or "").split() or (() if claims.acr_is_essential else claims.acr)
    essential = claims.acr if claims.acr_is_essential else ()
    if not voluntary and not essential:
        voluntary = case.client.protocol.default_acr_values
    if essential and not any(parse_acr(each) is not None for each in essential):
        raise errors.UnmetAuthenticationRequirementsError("None of the essential acr values is known")
    return {"acr_values": tuple(voluntary), "essential_acr": tuple(essential), "claims": claims.whole}


def resources_of_client(case: Case) -> Fields:
    """RFC 8707 §2: the audiences that access tokens may have; each one that the client is registered for.

    Several may be asked for: each token request then picks one.
    """
    asked = tuple(dict.fromkeys(case.parameters.resources))
    registered = resources.registered(case.client)
    if case.parameters.spoilt("resource") or any(each not in registered for each in asked):
        raise errors.InvalidTargetError("The resource is not one that this client is registered for")
    return {"resources": asked}


def key_of_code(case: Case) -> Fields:
    """RFC 9449 §10: `dpop_jkt`, the thumbprint of the only key that may redeem the code."""
    jkt = case.parameters.get("dpop_jkt")
    if jkt is None or not settings().is_on(Feature.DPOP):
        return _SETTLED
    if not _S256.fullmatch(jkt):
        raise errors.InvalidRequestError("dpop_jkt is not the thumbprint of a key")
    return {"dpop_jkt": jkt}


def _claims(case: Case) -> ClaimsAsked:
    try:
        return claims_parameter.read(case.parameters.get("claims"))
    except JsonRefused as error:
        raise errors.InvalidRequestError("The claims parameter cannot be read") from error


CHECKS: tuple[Check, ...] = (
    request_could_be_had,
    each_parameter_once,
    no_self_issued_registration,
    pushed_where_demanded,
    signed_where_demanded,
    response_type_code,
    response_mode_known,
    scope_allowed,
    pkce_s256,
    values_to_return,
    prompt_consistent,
    max_age_number,
    hints,
    subject_hinted,
    authentication_context,
    resources_of_client,
    key_of_code,
    check_delegation.acting_allowed,
    check_delegation.org_hint_wellformed,
    check_delegation.unit_delegation_allowed,
)
"""Client and redirect URI come before these, in `trust`."""
