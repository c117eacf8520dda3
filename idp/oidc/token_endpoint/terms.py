"""What one token request makes of a grant: never more than was granted, less if the client asks for less."""

from idp.clients.registry import RegisteredClient
from idp.oidc import authorization_details, resources
from idp.oidc.errors import InvalidScopeError
from idp.oidc.grants import Grant
from idp.oidc.token_endpoint.issue import OFFLINE_ACCESS
from idp.oidc.tokens.access_token import Terms


def of_code(grant: Grant, client: RegisteredClient, form: dict[str, str], jkt: str | None) -> Terms:
    """Return the terms for a code: the whole scope (RFC 6749 §4.1.3 knows no `scope`), one of the resources.

    Raises InvalidTargetError, InvalidAuthorizationDetailsError.
    """
    return _terms(grant, client, form, grant.scope, jkt)


def of_refresh(grant: Grant, client: RegisteredClient, form: dict[str, str], jkt: str | None) -> Terms:
    """Return the terms for a refresh (RFC 6749 §6). Raises InvalidScopeError and what `of_code` raises."""
    return _terms(grant, client, form, narrowed(grant, form.get("scope")), jkt)


def of_offline(grant: Grant, client: RegisteredClient, form: dict[str, str], jkt: str | None) -> Terms:
    """Return the terms for an access token without refresh token: as for a refresh, but for `offline_access`."""
    scope = tuple(each for each in narrowed(grant, form.get("scope")) if each != OFFLINE_ACCESS)
    return _terms(grant, client, form, scope, jkt)


def narrowed(grant: Grant, asked: str | None) -> tuple[str, ...]:
    """Return the scope asked for, in the grant's order; all of it if none was. Raises InvalidScopeError for more."""
    if asked is None:
        return grant.scope
    wanted = set(asked.split())
    if not wanted or not wanted <= set(grant.scope):
        raise InvalidScopeError("The scope exceeds what was granted")
    return tuple(scope for scope in grant.scope if scope in wanted)


def _terms(
    grant: Grant, client: RegisteredClient, form: dict[str, str], scope: tuple[str, ...], jkt: str | None
) -> Terms:
    details = form.get(authorization_details.PARAMETER)
    if details is not None:
        scope = authorization_details.narrowed(grant, client, details, scope)
    return Terms(scope, resources.picked(form.get(resources.PARAMETER), grant.resources), jkt)
