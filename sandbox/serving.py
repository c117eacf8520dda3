"""Serves one WSGI application on this machine's loopback address, each request in a thread of its own."""

import logging
import ssl
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"

_log = logging.getLogger("sandbox")


class _Handler(WSGIRequestHandler):
    """Logs a request without its query and its address, and lets go of connections that the application drops."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - the base's signature
        # The inbox is filtered by phone in the query, which is nobody's business in a log.
        path = getattr(self, "path", "-").partition("?")[0]
        _log.info("%s %r %s", self.command, path, str(code))

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base's signature
        # The base class would quote the request line, query and all.
        _log.warning("bad request line or timeout")

    def connection_dropped(
        self,
        error: BaseException,  # noqa: ARG002 - the base's signature
        environ: "WSGIEnvironment | None" = None,  # noqa: ARG002
    ) -> None:
        # Without this the handler would wait for the next request, and the caller for an answer.
        self.close_connection = True


class Server:
    """One application, bound when this is made and serving between `start` and `stop`, or as a context manager.

    `port` 0 picks a free one. `tls` makes it https. Raises SystemExit if the port is taken.
    """

    def __init__(self, app: "WSGIApplication", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = make_server(HOST, port, app, threaded=True, request_handler=_Handler, ssl_context=tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.port = self._server.port
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop taking requests and close the port. Requests that are being answered slowly are abandoned."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
