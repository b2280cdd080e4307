"""Connections that come in at a socket that is listened to."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Protocol

from turnwire.transport.networks import UNIX
from turnwire.transport.notices import Notices

ACCEPTED_AT_ONCE = 32
"""How many connections are accepted in one turn of the loop; the kernel keeps the others."""

RETRY_SECONDS = 0.2
"""When to try again to accept, after the system had no room."""

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Welcome = Callable[[socket.socket, str], None]
"""Takes a connection, and the address that it comes from."""


class Arrivals(Protocol):
    """Where connections come from."""

    def start(self, welcome: Welcome) -> None:
        """Have each connection welcomed from now on."""

    def stop(self) -> None:
        """No further one comes."""


class Accepted:
    """Those that are accepted at a socket, which is closed in the end."""

    def __init__(self, listening: socket.socket, notices: Notices) -> None:
        self._socket = listening
        self._notices = notices
        self._loop = asyncio.get_running_loop()
        self._welcome: Welcome | None = None
        """None while nobody accepts."""
        self._retry: asyncio.TimerHandle | None = None

    def start(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._accept)

    def pause(self) -> None:
        """Leave those that come to the kernel, until somebody starts again."""
        if self._retry is not None:
            self._retry.cancel()
        self._welcome = None
        self._loop.remove_reader(self._socket)

    def stop(self) -> None:
        self.pause()
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if (welcome := self._welcome) is None:
                return
            try:
                connection, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._notices.warn(f"no connection can be accepted: {error.strerror}")
                self._loop.remove_reader(self._socket)
                self._retry = self._loop.call_later(RETRY_SECONDS, self.start, welcome)
                return
            welcome(connection, address_of(address))


def address_of(name: object) -> str:
    """What the name of a peer says of where it is."""
    # A unix socket has no address; IPv4 is written as such where both are listened to.
    return str(name[0]).removeprefix("::ffff:") if isinstance(name, tuple) else UNIX
