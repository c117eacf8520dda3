"""Looking after the portals that may use this provider."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import IO, Any

import click

from idp import clock
from idp.cli.group import Problem, application, main
from idp.clients import registration, self_registration
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.model import ActsFor
from idp.clients.registration_policy import RegistrationPolicy
from idp.features import GRANT_TYPES
from idp.oidc import sector_identifier
from idp.sessions import client_removal
from idp.store import keyring
from idp.store.db import db


@main.group()
def client() -> None:
    """Look after the portals that may ask for sign-in."""


@client.command("add")
@click.argument("client_id")
@click.option("--metadata", type=click.File(), help="JSON file with further metadata, by the names of RFC 7591.")
@click.option("--name", required=True, help="What users see.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Exact; may be repeated.")
@click.option(
    "--grant-type",
    "grant_types",
    multiple=True,
    type=click.Choice(list(GRANT_TYPES)),
    default=["authorization_code", "refresh_token"],
    show_default=True,
    help="May be repeated. A client of client_credentials alone needs no redirect URI.",
)
@click.option("--scope", "scopes", default=" ".join(registration.STANDARD_SCOPES), show_default=True)
@click.option("--acts-for", type=click.Choice([each.value for each in ActsFor]), default="never", show_default=True)
@click.option("--resource", help="Address of the portal's API: the audience of its access tokens.")
@click.option("--post-logout-redirect-uri", "post_logout_redirect_uris", multiple=True)
@click.option("--backchannel-logout-uri")
@click.option("--frontchannel-logout-uri", help="Loaded in a frame; where a redirect URI of the portal is.")
@click.option("--frontchannel-logout-session-required", is_flag=True, default=None, help="Add iss and sid to it.")
@click.option("--uri", "client_uri", help="The portal's home page.")
@click.option("--initiate-login-uri", help="Where a user is sent to begin at the portal.")
@click.option("--auth-method", type=click.Choice(registration.AUTH_METHODS), default="client_secret_basic")
@click.option("--unit-accounts", is_flag=True, help="Take units that sign in with their own account.")
@click.option("--no-consent", is_flag=True, help="Do not ask users for consent (a portal of the same body).")
@click.option("--subject-type", type=click.Choice(["public", "pairwise"]), help="pairwise: own ids for persons.")
@click.option("--sector-identifier-uri", help="With pairwise and several hosts: the list of all redirect URIs.")
@click.option("--id-token-alg", type=click.Choice(keyring.ALGORITHMS), default="RS256", show_default=True)
@click.option("--userinfo-alg", type=click.Choice(keyring.ALGORITHMS), help="Sign UserInfo.  [default: JSON]")
@click.option("--opaque-tokens", is_flag=True, help="Opaque access tokens in place of JWTs.")
def client_add(client_id: str, name: str, **given: Any) -> None:
    """Register a portal. Its secret is printed once, as JSON."""
    new = registration.NewClient(
        client_id=client_id,
        client_name=name,
        redirect_uris=given["redirect_uris"],
        grant_types=given["grant_types"],
        scopes=tuple(given["scopes"].split()),
        acts_for=ActsFor(given["acts_for"]),
        resource=given["resource"],
        post_logout_redirect_uris=given["post_logout_redirect_uris"],
        backchannel_logout_uri=given["backchannel_logout_uri"],
        client_uri=given["client_uri"],
        initiate_login_uri=given["initiate_login_uri"],
        token_endpoint_auth_method=given["auth_method"],
        allows_unit_accounts=given["unit_accounts"],
        consent_required=not given["no_consent"],
        access_token_format="opaque" if given["opaque_tokens"] else "jwt",
        id_token_alg=given["id_token_alg"],
        protocol=_protocol(given),
    )
    with application():
        secret = _saying_what_is_wrong(lambda: _add(new))
    click.echo(json.dumps({"client_id": client_id, "client_secret": secret}))


def _add(new: registration.NewClient) -> str | None:
    registration.check(new)
    sector_identifier.check(new)
    return registration.add(new)


SAME = ("subject_type", "sector_identifier_uri", "frontchannel_logout_uri", "frontchannel_logout_session_required")
IN_METADATA = {"userinfo_alg": "userinfo_signed_response_alg"} | {name: name for name in SAME}
"""Options that stand for metadata of the file, and win over it."""


def _protocol(given: dict[str, Any]) -> ProtocolMetadata:
    """Return what the metadata file and the options say. Raises Problem."""
    file: IO[str] | None = given["metadata"]
    options = {name: given[option] for option, name in IN_METADATA.items() if given[option] is not None}
    try:
        said = {} if file is None else json.load(file)
        return ProtocolMetadata.read(said | options if isinstance(said, dict) else said)
    except ValueError as error:
        msg = "the metadata file is not JSON"
        raise Problem(msg) from error
    except ClientMetadataInvalid as error:
        msg = f"the metadata file is wrong at: {error.facts['what'] or 'its outermost value'}"
        raise Problem(msg) from error


def _saying_what_is_wrong(work: Callable[[], str | None]) -> str | None:
    try:
        return work()
    except ClientMetadataInvalid as error:
        msg = " ".join(("cannot register this:", error.facts["what"], error.facts.get("value", "")))
        raise Problem(msg) from error
    except registration.ClientTaken as error:
        msg = "a client of this id exists"
        raise Problem(msg) from error


@client.command("token")
@click.argument("label")
@click.option("--uses", type=click.IntRange(1), help="How many clients it may register.  [default: any number]")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="For how long it works.")
@click.option("--scope", "scopes", default=" ".join(registration.STANDARD_SCOPES), show_default=True)
@click.option(
    "--grant-type",
    "grant_types",
    multiple=True,
    type=click.Choice(list(GRANT_TYPES)),
    help="[default: code and refresh]",
)
@click.option("--redirect-host", "redirect_hosts", multiple=True, help="portal.example or *.example; any without one.")
@click.option("--software-id", "software_ids", multiple=True, help="Only this software; may be repeated.")
@click.option("--acts-for", type=click.Choice([each.value for each in ActsFor]), default="never", show_default=True)
@click.option("--resource", help="Address of the API: the audience of the clients' access tokens.")
@click.option("--pkce-optional", is_flag=True, help="For confidential clients whose library knows no PKCE.")
def client_token(label: str, uses: int | None, days: int, **policy: Any) -> None:
    """Make an initial access token, with which clients register themselves (RFC 7591). Printed once, as JSON.

    What it allows bounds every client that comes of it, for good.
    """
    bounds = RegistrationPolicy(
        scopes=tuple(policy["scopes"].split()),
        **({"grant_types": policy["grant_types"]} if policy["grant_types"] else {}),
        redirect_hosts=policy["redirect_hosts"],
        software_ids=policy["software_ids"],
        acts_for=ActsFor(policy["acts_for"]),
        resource=policy["resource"],
        require_pkce=not policy["pkce_optional"],
    )
    ends = clock.now() + timedelta(days=days)
    with application():
        token = self_registration.make_token(self_registration.NewToken(label, bounds, uses, ends))
    click.echo(json.dumps({"initial_access_token": token, "expires_at": int(ends.timestamp())}))


@client.command("list")
def client_list() -> None:
    """List the portals."""
    with application():
        for each in registration.all_clients(db.session()):
            state = "disabled" if each.disabled_at else each.acts_for
            click.echo(f"{each.client_id:24} {state:10} {each.client_name}")


@client.command("disable")
@click.argument("client_id")
def client_disable(client_id: str) -> None:
    """Disable a portal: from now on it is unknown, and its tokens and sessions are over."""
    with application():
        if not client_removal.disable(client_id):
            msg = f"there is no living client {client_id}"
            raise Problem(msg)
    click.echo(f"{client_id} is disabled")
