"""Build hook: wheels and editable installs carry compiled message catalogues."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Compiles idp/translations before the files are gathered; .mo files are no part of the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the results as artifacts, since .gitignore hides them from hatchling."""
        del version
        sys.path.insert(0, str(Path(self.root, "tools")))
        from catalogues import compile_all  # noqa: PLC0415 - importable only with the line above

        made = compile_all(Path(self.root))
        build_data["artifacts"] += [str(path.relative_to(self.root)) for path in made]
