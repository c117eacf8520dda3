"""The peer: npm `oidc-provider`, certified for nearly all that we implement, with storage on PostgreSQL."""

import contextlib
import json
import secrets as random
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

from bench import scenarios
from bench.machine import Server, on_cores
from bench.scenarios import REDIRECT_URI, RESOURCES, Provider
from idp.demo import fiction
from idp.settings import Settings
from tests.support.ports import free_port
from tests.support.processes import spawn

FOLDER = Path(__file__).parent / "peer"
PATHS = {
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/jwks",
    "authorization": "/auth",
    "token": "/token",
    "introspection": "/token/introspection",
    "userinfo": "/me",
}


@contextlib.contextmanager
def running(host: str, database: str, *, workers: int, cores: set[int]) -> Iterator[Server]:
    """Serve the peer on the empty `database` at the socket `host` with `workers` processes on `cores`."""
    port = free_port()
    asked = _asked(port, workers) | {"databaseHost": host, "database": database}
    health = f"http://localhost:{port}{PATHS['discovery']}"
    environment = {"PEER": json.dumps(asked), "NODE_ENV": "production"}
    command = [*on_cores(cores), "node", "server.mjs"]
    with spawn(command, env=environment, health=health, cwd=FOLDER) as server:
        provider = Provider(
            name="oidc-provider",
            address=("127.0.0.1", port),
            paths=PATHS,
            secrets={client["client_id"]: client["client_secret"] for client in asked["clients"]},
            usernames=cycle([person.login for person in fiction.PERSONS]),
            password=fiction.PASSWORD,
        )
        yield Server(provider, server.pid)


def version() -> str:
    """Return the peer's version, as its package file pins it."""
    package = json.loads((FOLDER / "package.json").read_text())
    return str(package["dependencies"]["oidc-provider"])


def _asked(port: int, workers: int) -> dict[str, Any]:
    cost = Settings.model_fields
    return {
        "port": port,
        "workers": workers,
        "cookieKey": random.token_urlsafe(32),
        "clients": list(_clients()),
        "keys": _keys(),
        "resources": RESOURCES,
        "accounts": {
            "names": {person.login: person.name for person in fiction.PERSONS},
            "password": fiction.PASSWORD,
            # Argon2id of the same cost as ours
            "argon2": {
                "memoryCost": cost["argon2_memory_kib"].default,
                "timeCost": cost["argon2_time_cost"].default,
                "parallelism": 1,
            },
        },
    }


def _keys() -> list[dict[str, Any]]:
    keys = (
        RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}),
        ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}),
        OKPKey.generate_key("Ed25519", {"alg": "EdDSA", "use": "sig"}),
    )
    return [dict(key.as_dict(private=True)) for key in keys]


def _clients() -> Iterator[dict[str, Any]]:
    for alg in RESOURCES.values():
        yield {
            "client_id": scenarios.api_client(alg),
            "client_secret": random.token_urlsafe(32),
            "redirect_uris": [],
            "response_types": [],
            "grant_types": ["client_credentials"],
        }
    for alg in ("RS256", "ES256"):
        yield {
            "client_id": scenarios.portal(alg),
            "client_secret": random.token_urlsafe(32),
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "id_token_signed_response_alg": alg,
        }
