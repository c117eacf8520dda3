"""DESIGN 3, trap 11: `authlib.jose` is deprecated; signatures are joserfc's, at least 1.7.4 (security fix); Authlib is
pinned exactly, because its behaviour is what these files are about.
"""

import re
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import idp

IMPORTED = re.compile(r"^\s*(?:from|import)\s+authlib\.(?:jose|oidc\.core\.grants)\b", re.MULTILINE)


def test_no_module_of_ours_imports_it() -> None:
    sources = list(Path(idp.__file__).parent.rglob("*.py"))
    assert len(sources) > 50
    assert [source for source in sources if IMPORTED.search(source.read_text())] == []


def test_the_whole_protocol_loads_without_it() -> None:
    script = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import idp.oidc.endpoints\n"
        "print(sorted(name for name in sys.modules if name.startswith('authlib.jose')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_versions() -> None:
    pinned = [need.lower() for need in requires("jingban") or [] if need.lower().startswith("authlib")]
    assert pinned == [f"authlib=={version('Authlib')}"]
    assert tuple(int(part) for part in version("joserfc").split(".")[:3]) >= (1, 7, 4)
