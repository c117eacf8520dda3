"""JSON inside a parameter: `claims`, `authorization_details`."""

import json
from typing import Any, NoReturn


class JsonRefused(Exception):
    """The text is no JSON, or JSON that cannot be stored and written again."""


def read(text: str) -> Any:
    """Return the value that `text` stands for. Raises JsonRefused.

    Nesting without end and half surrogate pairs are JSON to the letter, and an error further on.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise JsonRefused from error
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which Python reads and RFC 8259 §6 forbids
