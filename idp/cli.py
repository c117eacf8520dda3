"""The command `jingban`."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import click
from flask import Flask
from flask_migrate import upgrade
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DatabaseError

from idp import __version__, clock, doctor, jobs
from idp.app import create_app
from idp.audit import chain
from idp.clients import registration, self_registration
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.model import ActsFor
from idp.clients.registration_policy import RegistrationPolicy
from idp.delegation import catalogue
from idp.features import GRANT_TYPES
from idp.oidc import sector_identifier
from idp.sessions import client_removal
from idp.settings import Settings, SettingWrong
from idp.store import hot, keyring, vault
from idp.store.db import db
from idp.store.vault import KeyFileError


class Problem(click.ClickException):
    """Something an operator can mend; printed as one sentence, exit code 1."""


def load_settings() -> Settings:
    """Return the settings, or say in one line each what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"  {_name(item['loc'])}: {item['msg']}" for item in error.errors()]
        raise Problem("settings are wrong:\n" + "\n".join(lines)) from error
    except (SettingsError, OSError, ValueError) as error:
        msg = f"settings cannot be read: {error}"
        raise Problem(msg) from error


def _name(location: tuple[Any, ...]) -> str:
    return "JINGBAN_" + "_".join(str(part) for part in location).upper() if location else "settings"


@contextmanager
def application() -> Iterator[Flask]:
    """Open the application for a command that works on the database."""
    try:
        app = create_app(load_settings())
    except (KeyFileError, SettingWrong) as error:
        raise Problem(str(error)) from error
    with app.app_context():
        try:
            yield app
        except DatabaseError as error:
            reason = str(error.orig).strip().splitlines()[0]
            msg = f"the database refuses ({reason}); `jingban doctor` looks closer"
            raise Problem(msg) from error
        finally:
            hot.close_all()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="jingban")
@click.option("--config", type=click.Path(dir_okay=False, exists=True), help="TOML file with settings.")
def main(config: str | None) -> None:
    """Jingban (经办): an OpenID provider for people who act for organisations.

    Settings come from JINGBAN_… variables and from a TOML file (--config or JINGBAN_CONFIG);
    the variables win. `jingban doctor` says what is missing.
    """
    if config is not None:
        os.environ["JINGBAN_CONFIG"] = config


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, help="Worker processes; as many as cores is right.")
@click.option("--threads", type=int, help="Threads a worker.  [default: 1 on SQLite, 4 on PostgreSQL]")
def serve(host: str, port: int, workers: int, threads: int | None) -> None:
    """Serve the provider (granian). Put a proxy with TLS in front of it."""
    from granian.constants import Interfaces  # noqa: PLC0415 - only this command needs the server
    from granian.server import Server  # noqa: PLC0415

    settings = load_settings()
    on_sqlite = settings.database_url.startswith("sqlite")
    with application():
        keyring.ensure_keys()
    Server(
        "idp.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads or (1 if on_sqlite else 4),
        backpressure=256,
        factory=True,
        respawn_failed_workers=True,  # else the death of one takes the provider down
        log_access=False,
    ).serve()


@main.command()
def worker() -> None:
    """Do what needs no browser to wait: run at least one.

    Delivers SMS and logouts, closes expired grants, seals the audit, rotates signing keys, forgets what expired.
    """
    with application() as app:
        pass
    jobs.run(app)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("var"), show_default=True)
@click.option("--port", default=8000, show_default=True, help="Port of the provider; the others follow it.")
@click.option("--fresh", is_flag=True, help="Start with a new database.")
def demo(folder: Path, port: int, *, fresh: bool) -> None:
    """Run everything on this machine, with data to try."""
    from idp.demo import supervisor  # noqa: PLC0415 - the demo is no part of the provider

    supervisor.run(folder, port, fresh=fresh)


@main.command("doctor")
def doctor_command() -> None:
    """Say in plain words what is wrong with this installation.

    Looks at settings, key file, database, tables, clock, signing keys, audit, and at what is called outside.
    """
    findings = list(doctor.examine(load_settings()))
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.what}: {finding.says}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@main.group("db")
def database() -> None:
    """Look after the database."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Create the tables and first signing keys, or bring the tables to this version."""
    with application():
        upgrade()
        keyring.ensure_keys()
    click.echo("database is up to date")


@main.group()
def keys() -> None:
    """Look after the key file and the signing keys."""


@keys.command("init")
def keys_init() -> None:
    """Make the key file that encrypts columns. Keep a copy: without it the data cannot be read."""
    path = load_settings().key_file
    try:
        vault.create(path)
    except FileExistsError as error:
        msg = f"{path} exists already and is left alone"
        raise Problem(msg) from error
    click.echo(f"wrote {path}")


@keys.command("list")
def keys_list() -> None:
    """List the signing keys with their states."""
    with application():
        for key in keyring.all_keys():
            click.echo(f"{key.alg:6} {key.state:8} {key.kid}  since {key.created_at:%Y-%m-%d %H:%M}")


@keys.command("rotate")
@click.option("--alg", help="Only this algorithm, e.g. ES256.")
@click.option("--now", "at_once", is_flag=True, help="Use a key that clients may not have fetched yet (key leaked).")
def keys_rotate(alg: str | None, *, at_once: bool) -> None:
    """Make the published next key the active one, and publish a new next key."""
    with application():
        for made in keyring.rotate(alg, at_once=at_once):
            click.echo(made)


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


@main.group()
def business() -> None:
    """Look after the businesses that units grant."""


@business.command("put")
@click.argument("code")
@click.option("--name", required=True, help="What users see.")
@click.option("--description", default="", help="One sentence for the grant and consent pages.")
@click.option("--client", "client_id", help="The portal at which it is done.")
@click.option("--min-person-level", type=click.IntRange(0, 3), default=0, show_default=True)
@click.option("--min-unit-level", type=click.IntRange(0, 3), default=0, show_default=True)
@click.option("--needs-verified-unit", is_flag=True, help="Refuse units without real-name verification.")
@click.option(
    "--open-to-unit-account",
    is_flag=True,
    help="A unit without agents may do it itself after its legal representative's face check (U18).",
)
def business_put(code: str, **given: Any) -> None:
    """Enter a business, or change the one of this code. The code is also the scope that portals ask for."""
    with application():
        catalogue.put(catalogue.NewBusiness(code=code, **given))
    click.echo(f"{code} is in the catalogue")


@business.command("list")
def business_list() -> None:
    """List the businesses that may be granted."""
    with application():
        for each in catalogue.open_businesses(db.session()):
            click.echo(f"{each.code:24} L{each.min_person_level}/L{each.min_unit_level} {each.name}")


@main.group()
def audit() -> None:
    """Look after the audit."""


@audit.command("verify")
def audit_verify() -> None:
    """Recompute the hash chain over all entries."""
    with application():
        verdict = chain.verify(db.session())
    if verdict.broken_at is not None:
        msg = f"the chain breaks at place {verdict.broken_at}"
        raise Problem(msg)
    if verdict.unsealed:
        msg = f"{verdict.unsealed} entries older than a minute are not sealed: is a worker running?"
        raise Problem(msg)
    click.echo(f"{verdict.sealed} entries, chain intact")
