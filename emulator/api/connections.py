"""Open connections, so that a fault can cut one."""

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope

_LINGER_NOT = struct.pack("ii", 1, 0)  # closing then resets the connection


class Connections:
    """The transports of a server's connections, by the client's address and port."""

    def __init__(self) -> None:
        self._transports: dict[Any, asyncio.Transport] = {}
        self._are_noted = False

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._transports)

    def add(self, client: Any, transport: asyncio.Transport) -> None:
        """Note a connection that was opened."""
        self._transports[client] = transport
        self._are_noted = True

    def remove(self, client: Any) -> None:
        """Forget a connection that was closed."""
        self._transports.pop(client, None)

    async def cut(self, scope: Scope, receive: Receive, *, in_answer: bool) -> None:
        """Cut the connection of a request, and wait until it is cut.

        Args:
            scope, receive: the request's.
            in_answer: True: what was sent goes out, then the connection ends; False: it is reset.

        Raises:
            ConnectionResetError: there are no connections, since the client is in this process.
        """
        if not self._are_noted:
            raise ConnectionResetError("the connection was cut by a fault")
        transport = self._transports.get(scope["client"])
        if transport is None or transport.is_closing():  # the client went first
            return
        if in_answer:
            transport.close()
        else:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            transport.abort()
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:  # the server stops: it does not wait for the client either
            pass
