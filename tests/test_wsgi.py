"""The entry point of WSGI servers."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp import wsgi


@pytest.fixture
def usual_collection() -> Iterator[None]:
    """Put back how this process looks for cycles."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("usual_collection")
def test_what_stays_is_left_alone_by_the_collector(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, sqlite_url: str
) -> None:
    monkeypatch.setenv("JINGBAN_KEY_FILE", str(key_file))
    monkeypatch.setenv("JINGBAN_DATABASE_URL", sqlite_url)
    app = wsgi.application()
    assert app.test_client().get("/health").status_code in {200, 503}
    assert gc.get_freeze_count() > 100_000
    assert gc.isenabled()
    assert gc.get_threshold()[0] == wsgi.NEW_OBJECTS
