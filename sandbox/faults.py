"""The error modes that every stand-in can be put into while it runs.

none     answers as it should
slow     does the work and answers `seconds` late, so that a caller may give up on work that was done
refuse   a well-formed refusal (422), as the real system gives to a request that it will never take
down     closes the connection without an answer
error    500
garbage  200 with a page where JSON should be, as from a maintenance page in front of the real system

A stand-in may have modes of its own besides: its views ask for them, and say what they do.
"""

import functools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

from flask import Response, jsonify, make_response
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Mode = Literal["none", "slow", "refuse", "down", "garbage", "error"]
Failure = Literal["refuse", "down", "garbage", "error"]
MODES: tuple[str, ...] = get_args(Mode)
FAILURES: tuple[Failure, ...] = get_args(Failure)
DEFAULT_SECONDS = 10.0
MAX_SECONDS = 300.0
MAINTENANCE_PAGE = "<!doctype html><title>系统维护</title><h1>系统维护中，请稍后再试</h1>"

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class Fault:
    """What is wrong now. `seconds` counts in mode "slow" only."""

    mode: str = "none"
    seconds: float = DEFAULT_SECONDS

    def as_json(self) -> dict[str, object]:
        """Return {"mode": str, "seconds": number}."""
        return asdict(self)


class NoAnswer(Response):
    """A response that is none: the server drops the connection of an application that raises this error."""

    def __call__(
        self,
        environ: "WSGIEnvironment",  # noqa: ARG002 - every WSGI application is called like this
        start_response: "StartResponse",  # noqa: ARG002
    ) -> Iterable[bytes]:
        """Raise ConnectionAbortedError instead of answering."""
        raise ConnectionAbortedError


class Faults:
    """The current fault of one stand-in. It is replaced whole, so parallel requests see the old or the new one.

    `refusal` is the reason that mode "refuse" gives; `own` are the modes that only this stand-in has.
    """

    def __init__(self, refusal: str, own: tuple[str, ...] = ()) -> None:
        self.current = Fault()
        self._refusal = refusal
        self._modes = (*MODES, *own)

    def change(self, mode: object, seconds: object = None) -> Fault:
        """Set and return the fault. Raise ValueError("mode") or ValueError("seconds") if it cannot be."""
        known = next((known for known in self._modes if known == mode), None)
        if known is None:
            raise ValueError("mode")
        self.current = Fault(known, DEFAULT_SECONDS if seconds is None else _seconds(seconds))
        return self.current

    def strike(self, view: View) -> View:
        """Decorate a view of the outside system's own interface: the fault of the moment befalls it."""

        @functools.wraps(view)
        def struck(**path: str) -> ResponseReturnValue:
            fault = self.current
            failure = next((failure for failure in FAILURES if failure == fault.mode), None)
            if failure is not None:
                return self._failure(failure)
            answer = view(**path)
            if fault.mode == "slow":
                time.sleep(fault.seconds)
            return answer

        return struck

    def _failure(self, mode: Failure) -> ResponseReturnValue:
        match mode:
            case "refuse":
                return jsonify(error="refused", reason=self._refusal), 422
            case "down":
                return NoAnswer()
            case "garbage":
                return make_response(MAINTENANCE_PAGE)
            case "error":
                return jsonify(error="internal_server_error"), 500


def _seconds(value: object) -> float:
    """Return the number `value` as seconds between 0 and `MAX_SECONDS`. Raise ValueError("seconds")."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("seconds")  # noqa: TRY004 - one error for every wrong value, whatever its type
    if not math.isfinite(value) or not 0 <= value <= MAX_SECONDS:
        raise ValueError("seconds")
    return float(value)
