"""Logs: structured, on stderr, and scrubbed. No personal data, code, token or password stands in a line (DESIGN 8).

Two nets, one behind the other: values under names that hold such things are hidden whole, and what looks like a
document number, phone, card or secret is hidden wherever it stands, tracebacks and other libraries' lines included.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

HIDDEN = "[hidden]"

_NAMES = frozenset(
    {
        *("password", "new_password", "code", "sms_code", "secret", "client_secret", "cookie", "authorization"),
        *("token", "access_token", "refresh_token", "id_token", "payload", "params"),
        *("name", "full_name", "username", "login_name", "identifier", "phone", "mobile"),
        *("document", "document_number", "card", "card_number", "bank_card"),
    }
)

_LOOKS_PRIVATE = (
    r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*",  # JWS and JWE
    r"(?<![\w-])[\w-]{43}(?![\w-])",  # our secrets: 256 bits in base64url
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:1[89]|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])",  # numbers after GB 11643
    r"(?<![0-9])(?:\+?86)?1[3-9][0-9]{9}(?![0-9])",  # mainland mobiles
    r"\+85[23][0-9]{8}|\+886[0-9]{9}",  # the other phones that SMS go to
    r"(?<![0-9])[0-9]{13,19}(?![0-9])",  # bank cards
    r"(?<=验证码)[^0-9]{0,2}[0-9]{6}",
    r"(?<=\)=\()[^)]*",  # PostgreSQL names the value that broke a constraint: Key (key)=(value)
)
_SHAPES = re.compile("|".join(_LOOKS_PRIVATE))
_IN_QUERY = re.compile(r"([?&](?:code|state|nonce|token|id_token_hint|login_hint|client_secret|interaction)=)[^&\s]+")


def scrub(value: Any) -> Any:
    """Return `value` with everything hidden that must not be written; containers are looked into."""
    if isinstance(value, str):
        return _SHAPES.sub(HIDDEN, _IN_QUERY.sub(rf"\1{HIDDEN}", value))
    if isinstance(value, dict):
        return {key: HIDDEN if str(key).lower() in _NAMES else scrub(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(each) for each in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return scrub(str(value))


def scrub_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Scrub a whole line; structlog's internals (`_record`, `_from_structlog`) pass."""
    del logger, method
    return {
        key: value if key.startswith("_") else HIDDEN if key.lower() in _NAMES else scrub(value)
        for key, value in event.items()
    }


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is now: servers and tests exchange it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        msg = "the stream is always sys.stderr"
        raise AttributeError(msg)


def configure(level: str, style: str) -> None:
    """Send all logs through one handler, as JSON lines or (`style` "console") for people. Safe to call again."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if style == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.processors.format_exc_info,  # before the scrubber, so that tracebacks pass it as text
                scrub_event,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                last,
            ],
        )
    )
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _Stderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
