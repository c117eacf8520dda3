"""JSON from outside, read so that no two readers can read it differently: parameters, key sets, claims of JWTs."""

import json
from typing import Any, NoReturn


class JsonRefused(Exception):
    """The text is no JSON, or JSON that cannot be stored and written again."""


def read(text: str) -> Any:
    """Return the value that `text` stands for. Raises JsonRefused.

    Nesting without end and half surrogate pairs are JSON to the letter, and an error further on. Of two members of one
    name some readers take the first and some the last (RFC 8259 §4), so there may be only one.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_each_once)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise JsonRefused from error
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "a member stands twice"
        raise ValueError(msg)
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which Python reads and RFC 8259 §6 forbids
