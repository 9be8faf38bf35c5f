# SPDX-License-Identifier: Apache-2.0
"""Counts what passes between a program and a server."""
import asyncio
import contextlib
import threading

CHUNK = 256 * 1024


class Relay:
    """Passes connections to a free port on to `port`, both of this machine, whatever is spoken on them. `bytes`: so many
    went through, both ways. Use as a context manager."""

    def __init__(self, port: int):
        self._to = port
        self.bytes = 0
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        passing = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(self._pass(reader, to_server), self._pass(server, writer))

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(CHUNK):
                self.bytes += len(chunk)
                to.write(chunk)
                await to.drain()
        finally:
            to.close()
