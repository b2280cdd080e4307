"""Connections that one process accepts and another serves: their descriptors over a unix socket."""

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

from turnwire.transport.arrivals import (
    ACCEPTED_AT_ONCE,
    RETRY_SECONDS,
    Arrivals,
    Welcome,
    address_of,
)
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
        self._notices = Notices()
        self._retry: asyncio.TimerHandle | None = None
        self.received = 0
        """How many there were so far."""

    def arrivals(self, notices: Notices) -> Sequence[Arrivals]:
        self._notices = notices
        return [self]

    def url(self, _: str) -> str:
        return self._url

    def start(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._go_on()

    def _go_on(self) -> None:
        asyncio.get_running_loop().add_reader(self._over, self._receive)

    def stop(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        asyncio.get_running_loop().remove_reader(self._over)
        self._over.close()

    def _receive(self) -> None:
        assert self._welcome is not None
        loop = asyncio.get_running_loop()
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                mark, descriptors, flags, _address = socket.recv_fds(self._over, 1, 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                mark, descriptors, flags = b"", [], 0
            if not mark:
                # The supervisor is gone; whoever reads its channel knows what to do.
                loop.remove_reader(self._over)
                return
            self.received += 1
            if flags & socket.MSG_CTRUNC:
                # The system had no descriptor for it, and has closed it.
                self._notices.warn(f"no connection can be accepted: {os.strerror(errno.EMFILE)}")
                loop.remove_reader(self._over)
                self._retry = loop.call_later(RETRY_SECONDS, self._go_on)
                return
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
