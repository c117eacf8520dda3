"""The pushed authorization request endpoint (RFC 9126): the client sends its request directly, and authenticated.

What is wrong with a request is told here, as JSON, and not in front of a person.
"""

from http import HTTPStatus

from flask import abort, request

from idp import limits
from idp.clients.registry import RegisteredClient
from idp.errors import DomainError
from idp.features import Feature
from idp.oidc import client_requests, dpop
from idp.oidc.authorize import checks, parse, sources, trust
from idp.oidc.authorize.parse import RESOURCE, Parameters, RequestUnreadable
from idp.oidc.authorize.sources import Source
from idp.oidc.blueprint import blueprint
from idp.oidc.client_auth import ALL_METHODS
from idp.oidc.client_endpoints import server
from idp.oidc.client_requests import Answer, for_clients
from idp.oidc.errors import InvalidRequestError, TemporarilyUnavailableError
from idp.sessions import pushed_requests
from idp.sessions.pushed_requests import Pushed
from idp.settings import settings
from idp.web import Access, access

CREDENTIALS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


@blueprint.post("/oidc/par")
@access(Access.CLIENT)
@for_clients
def pushed_authorization_request() -> Answer:
    """RFC 9126 §2.1, §2.2."""
    if not settings().is_on(Feature.PAR):
        abort(HTTPStatus.NOT_FOUND)
    asked = client_requests.read(request, may_repeat=frozenset({RESOURCE}))
    client = server.authenticate_client(asked, ALL_METHODS, "par")
    proof = dpop.at_par_endpoint(asked, client)
    source = _source(client_requests.body(request), client)
    if proof.jkt is not None:
        source = _bound(source, proof.jkt)
    _check(source, client)
    _count(client)
    request_uri = pushed_requests.push(client.client_id, _to_keep(source))
    answer = {"request_uri": request_uri, "expires_in": settings().pushed_request_lifetime}
    return client_requests.answer(HTTPStatus.CREATED, answer, proof.headers)


def _source(body: bytes, client: RegisteredClient) -> Source:
    """Return what is pushed: the form without the credentials, or what its request object holds (§3)."""
    try:
        sent = parse.parse(body)
    except RequestUnreadable as error:
        raise InvalidRequestError("The body cannot be read") from error
    if sent.get("request_uri") is not None:
        raise InvalidRequestError("request_uri is not pushed")  # §2.1, 3
    text = sent.get("request")
    if text is not None:
        return sources.from_object(text, client, sent)
    values = {name: value for name, value in sent.values.items() if name not in CREDENTIALS}
    return Source(Parameters(values, sent.repeated, sent.broken, sent.resources))


def _bound(source: Source, jkt: str) -> Source:
    """RFC 9449 §10.1: the code will be bound to the key that was proven here."""
    given = source.parameters
    if given.get("dpop_jkt") not in {None, jkt}:
        raise InvalidRequestError("dpop_jkt names another key than the proof")
    values = {**given.values, "dpop_jkt": jkt}
    return Source(
        Parameters(values, given.repeated, given.broken, given.resources), source.pushed, is_signed=source.is_signed
    )


def _check(source: Source, client: RegisteredClient) -> None:
    """Run the checks of the authorization endpoint (§2.1); they run again when the request is opened."""
    try:
        checks.run(trust.of_push(source, client))
    except DomainError as error:
        raise InvalidRequestError(_described(error)) from error


def _described(error: DomainError) -> str:
    if isinstance(error, trust.RedirectUriUnknown):
        return "redirect_uri is missing or not one that this client is registered for"
    return "A parameter has a value that cannot be"


def _to_keep(source: Source) -> Pushed:
    return Pushed(dict(source.parameters.values), source.parameters.resources, source.is_signed)


def _count(client: RegisteredClient) -> None:
    """Count what anybody may send in the name of a public client. Raises TemporarilyUnavailableError."""
    if client.token_endpoint_auth_method != "none":  # noqa: S105 - the name of a method
        return
    try:
        limits.authorize()
    except limits.TooOften as error:
        raise TemporarilyUnavailableError(
            "Too many requests from this address", status_code=HTTPStatus.TOO_MANY_REQUESTS
        ) from error
