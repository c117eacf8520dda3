"""What every test session needs: the fixtures of tests/support, and real services or a stated reason."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support import services
from tests.support.processes import running

FOR_TESTS = {services.REQUIRE, "JINGBAN_SHOTS"}
pytest_plugins = [
    "tests.support.application",
    "tests.support.authorities",
    "tests.support.browser",
    "tests.support.databases",
    "tests.support.redis",
    "tests.support.stack",
    "tests.support.upstreams",
]

# The machine is shared and slow at times: a deadline would fail on the load, not on the code. Derandomized,
# a red run on one machine is red on every other.
settings.register_profile("jingban", deadline=None, derandomize=True)
settings.load_profile("jingban")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks of tests/support; keep the settings of this shell out of the tests."""
    for name in list(os.environ):
        if name.startswith("JINGBAN_") and name not in FOR_TESTS:
            del os.environ[name]
    config.addinivalue_line("markers", "browser_errors(*parts): browser complaints that this test provokes")


def pytest_sessionstart(session: pytest.Session) -> None:
    """End the session at once if services are required and one is missing."""
    missing = services.missing()
    if missing and services.required():
        pytest.exit(f"{services.REQUIRE} is set and missing here: {', '.join(missing)}; {services.HINT}", 3)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the running servers wrote last when a test fails."""
    report = yield
    if report.failed:
        report.sections.extend((f"output of {server.name}", server.tail()) for server in running)
    return report
