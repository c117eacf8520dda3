"""The hall and a small real provider, both served over HTTP; each test has a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relying_parties.service_hall.app import create_app
from tests.recruitment.issuer import Issuer
from tests.recruitment.served import Portal, issuer, served, shared_issuer

__all__ = ["issuer", "shared_issuer"]


@pytest.fixture
def portal(issuer: Issuer, tmp_path: Path) -> Iterator[Portal]:
    """The hall, served with threads on a free port."""
    with served(create_app, issuer, tmp_path) as running:
        yield running
