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

    def add(self, client: Any, transport: asyncio.Transport) -> None:
        """Note a connection that was opened."""
        self._transports[client] = transport

    def remove(self, client: Any) -> None:
        """Forget a connection that was closed."""
        self._transports.pop(client, None)

    async def cut(self, scope: Scope, receive: Receive, *, in_answer: bool) -> None:
        """Cut the connection of a request, and wait until it is cut.

        Args:
            scope, receive: the request's.
            in_answer: True: what was sent goes out, then the connection ends; False: it is reset.

        Raises:
            ConnectionResetError: there is no connection, since the client is in this process.
        """
        transport = self._transports.get(scope["client"])
        if transport is None:
            raise ConnectionResetError("the connection was cut by a fault")
        if in_answer:
            transport.close()
        else:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
