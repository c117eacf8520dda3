"""Talks to one stand-in over HTTP, as its clients and its operators do."""

from typing import Any

import requests

KEY = "key-of-the-tests"


class Client:
    """A client of the server at `url`. Requests carry the API key unless `key` says otherwise; None leaves it out."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def request(self, method: str, path: str, key: str | None = KEY, **options: Any) -> requests.Response:
        headers = options.pop("headers", {}) | ({} if key is None else {"X-API-Key": key})
        return self._session.request(method, self.url + path, headers=headers, timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: object, key: str | None = KEY) -> requests.Response:
        return self.request("POST", path, key, json=body)

    def put(self, path: str, body: object) -> requests.Response:
        return self.request("PUT", path, None, json=body)

    def fault(self, mode: str, **options: object) -> requests.Response:
        """Put the stand-in into `mode`."""
        return self.request("POST", "/faults", None, json={"mode": mode, **options})
