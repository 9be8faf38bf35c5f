# SPDX-License-Identifier: Apache-2.0
"""A client of JSON-RPC over HTTP."""
import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse

# What a call fails with when nobody answers.
UNREACHABLE = (OSError, http.client.HTTPException)


class RpcError(RuntimeError):
    """What a server answered instead of a result."""

    def __init__(self, method: str, error: dict):
        super().__init__(f"{method}: {error}")
        self.code, self.message, self.data = error.get("code"), error.get("message", ""), error.get("data")


def _jwt(secret: bytes) -> str:
    """A token of the Engine API: HS256, issued now."""
    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    text = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps({"iat": int(time.time())}).encode())
    return (text + b"." + part(hmac.new(secret, text, hashlib.sha256).digest())).decode()


class Rpc:
    """Calls of one server, each on a connection of its own, so that it may be used by threads and outlives restarts.
    With a `secret` they are authenticated as the Engine API asks for."""

    def __init__(self, url: str, secret: bytes | None = None, timeout: float = 60):
        self.url, self.secret, self.timeout = url, secret, timeout
        self.host = urllib.parse.urlsplit(url).netloc

    def post(self, body: bytes) -> bytes:
        connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["Authorization"] = "Bearer " + _jwt(self.secret)
        try:
            connection.request("POST", "/", body, headers)
            return connection.getresponse().read()
        finally:
            connection.close()

    def __call__(self, method: str, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        answer = json.loads(self.post(body))
        if "error" in answer:
            raise RpcError(method, answer["error"])
        return answer["result"]
