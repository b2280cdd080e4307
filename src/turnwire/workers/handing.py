"""Connections that one process accepts and another serves: their descriptors over a unix socket."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

from turnwire.transport.arrivals import ACCEPTED_AT_ONCE, Arrivals, Welcome, address_of
from turnwire.transport.notices import Notices

_MARK = b"\0"
"""A descriptor travels with at least a byte."""


def hand(connection: socket.socket, over: socket.socket) -> bool:
    """Give a connection to the process behind this socket, which does not block.

    It is closed here then. False if that process takes no more, or is gone.
    """
    try:
        socket.send_fds(over, [_MARK], [connection.fileno()])
    except OSError:
        return False
    connection.close()
    return True


class Handed:
    """The connections that the supervisor hands to this process: a place, and its arrivals."""

    def __init__(self, over: socket.socket, url: str) -> None:
        """`url` is what clients call the server, without a path and with the scheme of no TLS."""
        over.setblocking(False)
        self._over = over
        self._url = url
        self._welcome: Welcome | None = None
        self.received = 0
        """How many there were so far."""

    def arrivals(self, _: Notices) -> Sequence[Arrivals]:
        return [self]

    def url(self, _: str) -> str:
        return self._url

    def start(self, welcome: Welcome) -> None:
        self._welcome = welcome
        asyncio.get_running_loop().add_reader(self._over, self._receive)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._over)
        self._over.close()

    def _receive(self) -> None:
        assert self._welcome is not None
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                mark, descriptors, _flags, _address = socket.recv_fds(self._over, 1, 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                mark, descriptors = b"", []
            if not mark:
                # The supervisor is gone; whoever reads its channel knows what to do.
                asyncio.get_running_loop().remove_reader(self._over)
                return
            self.received += 1
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
                connection = socket.socket(fileno=descriptor)
                try:
                    name = connection.getpeername()
                except OSError:
                    # It went before anybody came to it.
                    with suppress(OSError):
                        connection.close()
                    continue
                self._welcome(connection, address_of(name))
