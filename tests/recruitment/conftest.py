"""The portal and a small real provider, both served over HTTP; each test has a database of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relying_parties.recruitment.app import create_app
from relying_parties.shared import clock
from tests.recruitment.issuer import UNIT_A, Issuer, Visit
from tests.recruitment.served import Portal, issuer, served, shared_issuer
from tests.recruitment.values import COMPANY
from tests.support.visitor import Visitor

__all__ = ["issuer", "shared_issuer"]


class Clock:
    """The portal's clock, some seconds ahead of the machine's."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._source = clock._source

    def __call__(self) -> float:
        return self._source() + self.ahead


@pytest.fixture
def portal(issuer: Issuer, tmp_path: Path) -> Iterator[Portal]:
    """The portal, served with threads on a free port."""
    with served(create_app, issuer, tmp_path) as running:
        yield running


@pytest.fixture
def moved(portal: Portal) -> Iterator[Clock]:
    """The portal's clock, to be set ahead."""
    ahead = Clock()
    clock.replace(ahead)
    yield ahead
    clock.replace(None)


@pytest.fixture
def visitor(portal: Portal) -> Visitor:
    """Somebody who opened the portal's first page."""
    return Visitor().get(portal.url)


@pytest.fixture
def sign_in(portal: Portal, issuer: Issuer) -> Callable[..., Visitor]:
    """Return a function that signs a visitor in for a unit and, unless told not to, completes 基本信息."""

    def sign_in(
        unit: dict[str, Any] = UNIT_A, *, by: Visitor | None = None, complete: bool = True, **visit: Any
    ) -> Visitor:
        issuer.visit = Visit(unit=unit, **visit)
        visitor = (by or Visitor()).get(f"{portal.url}/login/unit")
        if complete and "introduction" in visitor.text:
            visitor.submit("introduction", **COMPANY)
            assert visitor.status == 200, visitor.text
        return visitor

    return sign_in
