"""Our provider under load: installed, filled and started as an operator would, each on a database of its own."""

import contextlib
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from bench import scenarios
from bench.machine import Server, on_cores
from bench.scenarios import REDIRECT_URI, RESOURCES, Provider
from idp.app import create_app
from idp.clients.registration import NewClient, add
from idp.demo import fiction, seed
from idp.demo.addresses import PARTS, Addresses
from idp.settings import Settings
from idp.store import hot, keyring, vault
from idp.store.migrations import upgrade
from tests.support.ports import free_port
from tests.support.processes import spawn

PATHS = {
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/oidc/jwks",
    "authorization": "/oidc/authorize",
    "token": "/oidc/token",
    "introspection": "/oidc/introspect",
    "userinfo": "/oidc/userinfo",
}
UNLIMITED = "100000000/minute"
"""Every request of the bench comes from one address: the limits stay on, so that they cost what they cost."""


@contextlib.contextmanager
def running(database_url: str, directory: Path, *, workers: int, cores: set[int]) -> Iterator[Server]:
    """Serve a new provider on the empty database at `database_url` with `workers` processes on `cores`."""
    port = free_port()
    settings = Settings(
        issuer=f"http://localhost:{port}",
        database_url=database_url,
        key_file=directory / "keys.json",
        limit_sign_in=UNLIMITED,
        limit_authorize=UNLIMITED,
        log_level="WARNING",
    )
    secrets = _fill(settings)
    command = [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", str(workers)]
    environment = {
        f"JINGBAN_{name.upper()}": str(value)
        for name, value in settings.model_dump(mode="json", exclude_defaults=True).items()
    }
    with spawn([*on_cores(cores), *command], env=environment, health=f"{settings.issuer}/health") as server:
        provider = Provider(
            name="Jingban",
            address=("127.0.0.1", port),
            paths=PATHS,
            secrets=secrets,
            usernames=cycle([person.login for person in fiction.PERSONS]),
            password=fiction.PASSWORD,
        )
        yield Server(provider, server.pid)


def _fill(settings: Settings) -> dict[str, str]:
    """Make tables, keys, the demo's people and the clients of the bench; return the clients' secrets."""
    vault.create(settings.key_file)
    app = create_app(settings)
    with app.app_context():
        upgrade()
        keyring.ensure_keys()
        seed.fill(Addresses(settings.issuer, *("http://localhost:9",) * (len(PARTS) - 1)))
        secrets = {client.client_id: add(client) or "" for client in _clients()}
        hot.close_all()
    return secrets


def _clients() -> Iterator[NewClient]:
    for resource, alg in RESOURCES.items():
        yield NewClient(
            client_id=scenarios.api_client(alg),
            client_name=f"API client, {alg}",
            redirect_uris=(),
            scopes=(),
            grant_types=("client_credentials",),
            resource=resource,
            access_token_format="opaque" if alg == "opaque" else "jwt",
            access_token_alg="ES256" if alg == "opaque" else alg,
        )
    for alg in ("RS256", "ES256"):
        yield NewClient(
            client_id=scenarios.portal(alg),
            client_name=f"Portal, {alg}",
            redirect_uris=(REDIRECT_URI,),
            consent_required=False,
            id_token_alg=alg,
        )
