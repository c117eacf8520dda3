"""Build hook: what a wheel carries beside the packages, and the compiled message catalogues."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MOVED = {"templates": "idp/templates", "migrations": "idp/migrations"}
"""Folders that stand at the top of a checkout and inside the package in a wheel (see idp/paths.py)."""


class CustomBuildHook(BuildHookInterface):
    """Runs before hatchling gathers the files of a wheel or of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalogues and name them, since .gitignore hides them; an editable install moves nothing."""
        sys.path.insert(0, str(Path(self.root, "tools")))
        from catalogues import compile_all  # noqa: PLC0415 - importable only with the line above

        made = compile_all(Path(self.root))
        build_data["artifacts"] += [str(path.relative_to(self.root)) for path in made]
        if version == "standard":
            build_data["force_include"] |= MOVED
