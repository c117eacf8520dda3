"""Imports point downwards only (DESIGN 2); the layers stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
