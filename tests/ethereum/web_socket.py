# SPDX-License-Identifier: Apache-2.0
"""As much of a WebSocket's server (RFC 6455) as the tests need: whole text messages, pings."""
import base64
import hashlib
import threading

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUED, _TEXT, _CLOSE, _PING, _PONG = 0, 1, 8, 9, 10


def accept(key: str) -> str:
    """The header Sec-WebSocket-Accept."""
    return base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()


class WebSocket:
    """On a connection that was upgraded. Sending is for any thread."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self._lock = threading.Lock()

    def _exactly(self, size: int) -> bytes:
        data = self.reader.read(size)
        if len(data) < size:
            raise ConnectionError("the client is gone")
        return data

    def _frame(self) -> tuple[int, bool, bytes]:
        first, second = self._exactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        mask = self._exactly(4) if second & 0x80 else bytes(4)
        data = self._exactly(size)
        return first & 15, bool(first & 0x80), bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))

    def _send(self, kind: int, data: bytes, last: bool = True) -> None:
        size = bytes([len(data)]) if len(data) < 126 else (
            b"\x7e" + len(data).to_bytes(2, "big") if len(data) < 65536 else b"\x7f" + len(data).to_bytes(8, "big"))
        self.writer.write(bytes([kind | (0x80 if last else 0)]) + size + data)
        self.writer.flush()

    def messages(self):
        """Whole messages until the client closes or is gone."""
        message = b""
        try:
            while True:
                kind, last, data = self._frame()
                if kind == _CLOSE:
                    return
                if kind == _PING:
                    with self._lock:
                        self._send(_PONG, data)
                elif kind in (_TEXT, _CONTINUED):
                    message += data
                    if last:
                        yield message
                        message = b""
        except (ConnectionError, OSError, ValueError):
            return

    def send(self, pieces) -> bool:
        """One message of these pieces; false when one is None, and the connection is to be dropped."""
        with self._lock:
            kind = _TEXT
            for piece in pieces:
                if piece is None:
                    return False
                self._send(kind, piece, last=False)
                kind = _CONTINUED
            self._send(kind, b"")
        return True
