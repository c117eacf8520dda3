"""DESIGN 3, traps 4, 5, 8 and 10: none of Authlib's code that has them is in use here, so no upgrade brings them back.

What ours does instead is tested where it belongs: PKCE in test_checks.py, `iss` and escaping in test_respond.py,
secrets in test_issue.py, hints in test_checks.py and tests/oidc/logout.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import idp.gateways.fetch
import idp.oidc

OIDC = Path(idp.oidc.__file__).parent
OURS = [
    *sorted((OIDC / "authorize").glob("*.py")),
    *(OIDC / name for name in ("end_session.py", "id_token_hint.py", "backchannel_logout.py")),
    Path(idp.gateways.fetch.__file__),
]


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_of_authlib_is_used(path: Path) -> None:
    assert not {name for name in _imported(path) if name.startswith("authlib")}


def test_of_authlib_only_the_error_classes_are_used() -> None:
    assert {name for name in _imported(OIDC / "errors.py") if name.startswith("authlib")} == {
        "authlib.oauth2.base",
        "authlib.oauth2.rfc6749.errors",
        "authlib.oidc.core.errors",
    }


def test_the_deprecated_jose_is_never_loaded() -> None:
    """Trap 11: `authlib.jose` is another implementation of signatures; a process of ours does not have it."""
    script = "import sys, idp.app; print([name for name in sys.modules if name.startswith('authlib.jose')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
