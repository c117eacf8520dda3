"""A recipe of docs/integrate/, run as it stands: only the addresses in it become those of this machine."""

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import Any, Self

from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.stack import Stack

FOLDER = ROOT / "docs/integrate"
PROVIDER, PORTAL = "https://idp.example", "https://portal.example"
"""The addresses that every recipe uses."""


@dataclass(frozen=True)
class Recipe:
    """The text of a recipe, for a portal on a port of its own. It has another host name than the provider: cookies
    know no ports."""

    text: str
    port: int
    credentials: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, stack: Stack) -> Self:
        """Read `docs/integrate/{name}.md` and register its client by the command that stands there."""
        port = free_port()
        text = (FOLDER / f"{name}.md").read_text()
        text = text.replace(PROVIDER, stack.issuer).replace(PORTAL, f"http://127.0.0.1:{port}")
        [command] = re.findall(r"^    jingban (client add (?:.*\\\n)*.*)$", text, re.MULTILINE)
        answer = stack.jingban(*shlex.split(command.replace("\\\n", " ")))
        return cls(text, port, json.loads(answer))

    @property
    def portal(self) -> str:
        """The portal's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> str:
        """The secret that the registration printed."""
        return str(self.credentials["client_secret"])

    def block(self, language: str, first_line: str = "") -> str:
        """Return the only fenced block in this language, or the only one whose first line is `first_line`."""
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)
        [found] = [block for block in blocks if block.startswith(first_line)]
        return str(found)
