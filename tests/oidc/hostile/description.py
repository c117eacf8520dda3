"""`docs/integrate/openapi.yaml` as the tests use it: its operations, their parameters, and what an answer must be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
import yaml

from tests.support.processes import ROOT

PATH = ROOT / "docs/integrate/openapi.yaml"
METHODS = frozenset({"get", "post", "put", "delete", "patch"})
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@cache
def document() -> dict[str, Any]:
    """Return the description."""
    found: dict[str, Any] = yaml.safe_load(PATH.read_text())
    return found


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a `$ref` of ours stands for, or the value itself."""
    if "$ref" not in value:
        return value
    found: Any = document()
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


@dataclass(frozen=True)
class Operation:
    """One method of one path, as described."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def described(self) -> dict[str, Any]:
        """What the description says of it."""
        found: dict[str, Any] = document()["paths"][self.path][self.method.lower()]
        return found

    @property
    def media_type(self) -> str | None:
        """The content type of its requests, None if they have no body."""
        return next(iter(self.described.get("requestBody", {}).get("content", {})), None)

    @property
    def schemes(self) -> set[str]:
        """The ways to authenticate, by name."""
        return {name for either in self.described["security"] for name in either}

    def parameters(self, place: str) -> list[str]:
        """Return the names of its parameters in the header, the query or the path."""
        own = [*self.described.get("parameters", []), *document()["paths"][self.path].get("parameters", [])]
        return [each["name"] for each in map(resolved, own) if each["in"] == place]

    def members(self) -> dict[str, dict[str, Any]]:
        """Return what its body may hold, by name, whatever the alternatives."""
        if self.media_type is None:
            return {}
        return dict(_members(self.described["requestBody"]["content"][self.media_type]["schema"]))

    def check(self, status: int, headers: Any, body: bytes) -> None:
        """Assert that an answer is one of those that are described: status, headers, content type and body."""
        assert str(status) in self.described["responses"], f"{self}: {status} is not described: {body[:300]!r}"
        answer = resolved(self.described["responses"][str(status)])
        for name, header in answer.get("headers", {}).items():
            self._check_header(resolved(header), name, headers.get(name))
        content = answer.get("content")
        if content is None:
            assert body == b"", f"{self}: {status} has a body: {body[:300]!r}"
            return
        media_type = headers["Content-Type"].partition(";")[0]
        assert media_type in content, f"{self}: {status} is {media_type}: {body[:300]!r}"
        if media_type == JSON:
            problems = [error.message for error in _validator(self, status).iter_errors(_json(body))]
            assert not problems, f"{self}: {status} {problems}: {body[:300]!r}"

    def _check_header(self, header: dict[str, Any], name: str, value: str | None) -> None:
        assert value is not None or not header.get("required"), f"{self}: {name} is missing"
        if value is not None:
            assert jsonschema_rs.is_valid(header["schema"], value), f"{self}: {name}: {value}"


def operations() -> list[Operation]:
    """Return all that is described."""
    return [
        Operation(method.upper(), path)
        for path, methods in document()["paths"].items()
        for method in methods
        if method in METHODS
    ]


def enumerated(schema: str, name: str) -> set[str]:
    """Return the values that a member of a component may have."""
    found = document()["components"]["schemas"][schema]["properties"][name]
    return set(found["items"]["enum"] if found.get("type") == "array" else found["enum"])


def members(schema: str) -> set[str]:
    """Return the names that a component has, with those of all its parts."""
    return {name for name, _ in _members(document()["components"]["schemas"][schema])}


def grant_types() -> dict[str, set[str]]:
    """Return the parameters of each grant type at the token endpoint."""
    [_, grants] = Operation("POST", "/oidc/token").described["requestBody"]["content"][FORM]["schema"]["allOf"]
    found = {}
    for each in grants["oneOf"]:
        described = dict(_members(each))
        found[described["grant_type"]["const"]] = set(described)
    return found


def _members(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = resolved(schema)
    for part in (*schema.get("allOf", []), *schema.get("oneOf", [])):
        yield from _members(part)
    for name, member in schema.get("properties", {}).items():
        yield name, resolved(member)


@cache
def _validator(operation: Operation, status: int) -> Any:
    answer = resolved(operation.described["responses"][str(status)])
    return jsonschema_rs.Draft202012Validator(answer["content"][JSON]["schema"] | {"components": _components()})


@cache
def _components() -> dict[str, Any]:
    return {"schemas": document()["components"]["schemas"]}


def _json(body: bytes) -> Any:
    return json.loads(body)
