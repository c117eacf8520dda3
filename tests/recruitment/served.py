"""A sample portal served over HTTP beside the small provider of tests/recruitment/issuer.py."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from relying_parties.shared.settings import Settings
from tests.recruitment.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, Quiet


@dataclass
class Portal:
    """The portal as it is served: its address, and the application for a look at what it keeps."""

    url: str
    app: Flask
    database: Path


@contextmanager
def served(create_app: Callable[[Settings], Flask], issuer: Issuer, folder: Path) -> Iterator[Portal]:
    """Serve the portal with threads on a free port, its files in `folder`; the provider knows its addresses."""
    late = _Late()
    server = make_server("127.0.0.1", 0, late, threaded=True, request_handler=Quiet)
    url = f"http://localhost:{server.server_port}"
    settings = Settings(issuer.url, CLIENT_ID, CLIENT_SECRET, url, folder / "portal.sqlite3", folder / "portal.key")
    late.app = create_app(settings)
    issuer.api, issuer.redirect_uri = settings.audience, settings.redirect_uri
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield Portal(url, late.app, settings.database)
    server.shutdown()
    thread.join()
    server.server_close()


class _Late:
    """An application that is made once its port is known."""

    app: Flask

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


@pytest.fixture(scope="session")
def shared_issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.stop()


@pytest.fixture
def issuer(shared_issuer: Issuer) -> Issuer:
    """The provider, with nothing left of earlier tests. Both portals' tests have it from here."""
    shared_issuer.reset()
    return shared_issuer
