"""The running stack comes up on both databases, every part of it, and does not outlive the block."""

import os
import signal
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from tests.support.processes import until
from tests.support.stack import PROVIDER_WORKERS, Stack, start_stack


def test_every_part_answers(database_url: str, tmp_path: Path) -> None:
    with start_stack(database_url, tmp_path) as stack:
        metadata = requests.get(f"{stack.issuer}/.well-known/openid-configuration", timeout=5).json()
        assert metadata["issuer"] == stack.issuer
        for address in [stack.addresses.sms, stack.addresses.unionpay, stack.addresses.company_register]:
            assert requests.get(f"{address}/health", timeout=5).ok
        assert requests.get(stack.addresses.recruitment, timeout=5).ok
        assert stack.worker.process.poll() is None
        assert "recruitment" in stack.jingban("client", "list")
        pids = [part.pid for part in (stack.provider, stack.worker, stack.portal)]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(requests.ConnectionError):
        requests.get(stack.issuer, timeout=5)


def test_the_provider_replaces_a_worker_process_that_died(sqlite_url: str, tmp_path: Path) -> None:
    with start_stack(sqlite_url, tmp_path) as stack:
        before = _children(stack.provider.pid)
        os.kill(before[-1], signal.SIGKILL)
        until(lambda: before[-1] not in _children(stack.provider.pid))
        until(lambda: len(_children(stack.provider.pid)) == len(before) >= PROVIDER_WORKERS)
        stack.provider.wait_healthy(f"{stack.issuer}/health", timeout=10)
        for _ in range(20):
            assert requests.get(f"{stack.issuer}/health", timeout=5).ok


def test_a_browser_reaches_provider_and_portal(stack: Stack, page: Page) -> None:
    for address in [stack.issuer, stack.addresses.recruitment]:
        page.goto(address)
        assert page.title()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
