"""JavaScript of the recipes and of the scripts beside the tests, run by Node.js with the libraries of package.json."""

import functools
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.recipes.recipe import Recipe
from tests.support import services
from tests.support.services import NODE_MODULES, die_with_us

SCRIPTS = Path(__file__).with_name("scripts")
OLDEST_WITH_GLOBAL_CRYPTO = 20
FLAGS = [
    "--dns-result-order=ipv4first"
]  # "localhost" is where the provider listens, whatever comes first in /etc/hosts
LONGEST_RUN = 60


@functools.cache
def node() -> list[str]:
    """Return the command that runs Node.js. Debian 12 has version 18, where the libraries need a switch."""
    services.skip_without("Node.js")
    services.skip_without("npm packages")
    program = str(services.node())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    is_old = int(version.lstrip("v").partition(".")[0]) < OLDEST_WITH_GLOBAL_CRYPTO
    return [program, *FLAGS, *(["--experimental-global-webcrypto"] if is_old else [])]


def lay_out(recipe: Recipe, folder: Path, *names: str) -> Path:
    """Write the recipe's blocks that begin with `// name` into `folder`, as files with the libraries beside them."""
    (folder / "node_modules").symlink_to(NODE_MODULES, target_is_directory=True)
    for name in names:
        (folder / name).write_text(recipe.block("js", f"// {name}\n"))
    return folder


def run_script(name: str, given: Mapping[str, Any], visit: Callable[[str], str]) -> dict[str, Any]:
    """Run a script of scripts/ with `given`, and return its result.

    Where the script needs its user it names an address; `visit` goes there and returns the address where it ended.
    AssertionError with what the script wrote if it fails.
    """
    command = [*die_with_us("TERM"), *node(), str(SCRIPTS / name), json.dumps(given)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        result: dict[str, Any] = {}
        for line in process.stdout:
            said = json.loads(line)
            if "visit" not in said:
                result = said
                continue
            process.stdin.write(json.dumps(visit(said["visit"])) + "\n")
            process.stdin.flush()
        _, errors = process.communicate(timeout=LONGEST_RUN)
    assert process.returncode == 0, errors
    return result
