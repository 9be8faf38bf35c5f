# SPDX-License-Identifier: Apache-2.0
"""An endpoint of a chain that lies when it is told to. It passes JSON-RPC on to an honest node: single calls and batches,
over HTTP and WebSocket, there with eth_subscribe for new heads, which comes from asking the node often."""
import contextlib
import http.server
import itertools
import json
import socketserver
import threading

import web_socket
from lies import Lie, Transport
from rpc import UNREACHABLE, Rpc, RpcError

HONEST = Lie()
POLL_SECONDS = 0.05  # how often subscriptions look for a new head


class LyingProxy:
    """`node`: URL of what it is a proxy of. Use as a context manager, or close()."""

    def __init__(self, node: str):
        self.rpc = Rpc(node)
        self.current = HONEST
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port = self._server.server_address[1]
        self.url, self.ws_url = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.be_honest()
        self._server.shutdown()
        self._server.server_close()

    def tell(self, lie: Lie) -> Lie:
        """From now on; ends the one before."""
        with self._changed:
            self.current = lie
            self._changed.notify_all()
        return lie

    def be_honest(self) -> None:
        self.tell(HONEST)

    # --- for the server -------------------------------------------------------------------------

    def sleep(self, lie: Lie, seconds: float | None) -> None:
        """Until the lie ends, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.current is not lie, seconds)

    def one(self, lie: Lie, call: dict) -> dict:
        said = {"jsonrpc": "2.0", "id": call.get("id")}
        try:
            said["result"] = lie.answer(call["method"], call.get("params", []), self.rpc)
        except RpcError as error:
            said["error"] = {"code": error.code, "message": error.message}
            if error.data is not None:
                said["error"]["data"] = error.data
        return said

    def pieces(self, body: bytes, answer_one):
        """Bytes to answer a request with; None among them: drop the connection. answer_one(lie, call) answers a call."""
        lie = self.current
        asked = json.loads(body)
        try:
            said = [answer_one(lie, call) for call in asked] if isinstance(asked, list) else answer_one(lie, asked)
        except (*UNREACHABLE, json.JSONDecodeError):
            yield None  # as the node behind it, which does not answer
            return
        whole = json.dumps(said).encode()
        if isinstance(lie, Transport):
            lie.told += 1
            yield from lie.reply(whole, lambda seconds: self.sleep(lie, seconds))
        else:
            yield whole


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False  # a connection may stand for ever
    proxy: LyingProxy

    def handle_error(self, request, client_address):
        pass  # clients that went away


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.server.proxy
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        begun = False
        for piece in proxy.pieces(body, proxy.one):
            if not begun:
                self.end_headers()
                begun = True
            if piece is None:
                self.close_connection = True
                return
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() != "websocket":
            self.send_error(405)
            return
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", web_socket.accept(self.headers["Sec-WebSocket-Key"]))
        self.end_headers()
        self.close_connection = True
        _Session(self.server.proxy, web_socket.WebSocket(self.rfile, self.wfile)).run()


class _Session:
    """One client of a WebSocket."""

    def __init__(self, proxy: LyingProxy, socket: web_socket.WebSocket):
        self.proxy, self.socket = proxy, socket
        self.numbers = itertools.count(1)
        self.gone = threading.Event()

    def run(self) -> None:
        for message in self.socket.messages():
            with contextlib.suppress(json.JSONDecodeError):
                if not self.socket.send(self.proxy.pieces(message, self._one)):
                    break
        self.gone.set()

    def _one(self, lie: Lie, call: dict) -> dict:
        if call.get("method") != "eth_subscribe":
            return self.proxy.one(lie, call)
        if call["params"] != ["newHeads"]:
            return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32601, "message": "only newHeads"}}
        name = hex(next(self.numbers))
        threading.Thread(target=self._tell_heads, args=(name,), daemon=True).start()
        return {"jsonrpc": "2.0", "id": call["id"], "result": name}

    def _tell_heads(self, name: str) -> None:
        before = None
        call = {"id": 0, "method": "eth_getBlockByNumber", "params": ["latest", False]}
        while not self.gone.wait(POLL_SECONDS):
            with contextlib.suppress(*UNREACHABLE, json.JSONDecodeError):
                lie = self.proxy.current
                head = self.proxy.one(lie, call).get("result")
                if isinstance(lie, Transport) or not head or before == head["hash"]:
                    continue
                before = head["hash"]
                told = {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": name, "result": head}}
                try:
                    self.socket.send([json.dumps(told).encode()])
                except (OSError, ValueError):
                    return
