"""What can go wrong with an outside system. Both errors say which one (`gateway`) and why (`reason`), as codes."""

from typing import ClassVar

from idp.errors import DomainError


class GatewayError(DomainError):
    """Base of both. `facts["gateway"]` names the system ("sms", "unionpay", …); `facts["reason"]` is a code."""

    code: ClassVar[str] = "gateway_error"

    def __init__(self, gateway: str, reason: str) -> None:
        super().__init__(gateway=gateway, reason=reason)
        self.gateway = gateway
        self.reason = reason


class GatewayUnavailable(GatewayError):
    """No answer, or none that can be trusted: the same request may succeed later, and may already have been obeyed.

    Reasons: not_configured, connect_timeout, read_timeout, connection, tls, redirect, credentials, throttled,
    server_error, not_found, too_large, bad_answer.
    """

    code = "gateway_unavailable"
    status = 503


class GatewayRefused(GatewayError):
    """The outside system understood the request and will never take it. The reason is the system's own code."""

    code = "gateway_refused"
    status = 422
