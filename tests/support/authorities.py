"""The sandbox's certification authority, served, for providers that trust it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp.factors.certificates import revocation
from sandbox import certificates
from sandbox.certificates.authority import Authority
from sandbox.serving import Server
from tests.sandbox.client import KEY, Client
from tests.support.certificates import HARDWARE, Token, token, unit_token


@dataclass(frozen=True)
class RunningAuthority:
    """An authority whose list is served, and the file that names it to the provider."""

    authority: Authority
    operator: Client
    file: Path

    @property
    def crl_url(self) -> str:
        return self.operator.url + "/crl"

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of a provider that trusts it and may call this machine."""
        return {
            "certificate_authorities": self.file,
            "certificate_hardware_policies": (HARDWARE,),
            "fetch_allow_loopback": True,
        }

    def person(self, **changes: Any) -> Token:
        """Return a token of person 0, or what `changes` make of it."""
        return token(self.authority, self.crl_url, **changes)

    def unit(self, n: int = 1, **changes: Any) -> Token:
        """Return a token of unit `n`."""
        return unit_token(self.authority, self.crl_url, n, **changes)

    def fault(self, mode: str) -> None:
        """Put the authority into an error mode."""
        assert self.operator.fault(mode).status_code == 200


@contextmanager
def running_authority(folder: Path) -> Iterator[RunningAuthority]:
    """Serve an authority; its certificate goes into `folder`."""
    app = certificates.create_app(KEY)
    authority: Authority = app.extensions["authority"]
    file = folder / "ca.pem"
    file.write_text(authority.pem)
    with Server(app) as server:
        yield RunningAuthority(authority, Client(server.url), file)


@pytest.fixture(scope="module")
def served_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAuthority]:
    with running_authority(tmp_path_factory.mktemp("ca")) as running:
        yield running


@pytest.fixture
def ca(served_authority: RunningAuthority) -> Iterator[RunningAuthority]:
    """The authority as every test finds it: without a fault, and with no list of it kept."""
    revocation.forget()
    yield served_authority
    served_authority.fault("none")
