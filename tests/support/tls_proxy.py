"""A small proxy as nginx and HAProxy stand in front: it ends TLS, asks for a client certificate, and passes it on."""

import base64
import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_DROPPED = {"client-cert", "client-cert-chain", "x-forwarded-for", "x-forwarded-proto", "connection"}


@contextmanager
def passing_certificates_on(upstream: str, port: int, context: ssl.SSLContext, clients: Path) -> Iterator[None]:
    """Serve https at `port` in front of `upstream`; `clients` are the authorities that the handshake takes."""
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(clients)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(urlsplit(upstream).netloc))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Pass the request on, with what the handshake proved and nothing that the client says of itself."""
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
            headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "https"}
            assert isinstance(self.connection, ssl.SSLSocket)
            der = self.connection.getpeercert(binary_form=True)
            if der is not None:
                headers["Client-Cert"] = f":{base64.b64encode(der).decode()}:"
            behind = http.client.HTTPConnection(upstream, timeout=10)
            behind.request("GET", self.path, headers=headers)
            answer = behind.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"connection", "server", "date"}:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            behind.close()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
            """Say nothing."""

    return Handler
