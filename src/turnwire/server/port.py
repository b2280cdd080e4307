"""Where a server listens: addresses of this machine, a unix socket, or what systemd passes."""

import errno
import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from turnwire.transport.arrivals import Accepted
from turnwire.transport.notices import Notices

BACKLOG = 4096

FIRST_PASSED = 3
"""The descriptor of the first socket that is passed, as sd_listen_fds(3) has it."""


class AddressUnusable(Exception):
    """The address cannot be listened on; the text is one sentence for the operator."""


class Port:
    """Addresses that are taken, and listened on only when a server is ready."""

    def __init__(self, *sockets: socket.socket, uds: Path | None = None) -> None:
        self.sockets = sockets
        self._uds = uds

    @classmethod
    def take(cls, host: str = "127.0.0.1", port: int = 0) -> Self:
        """One address or several, separated by commas; `port` 0 is any that is free.

        Raises `AddressUnusable`.
        """
        taken: list[socket.socket] = []
        try:
            for each in hosts(host):
                with _named(f"{each}:{port}"):
                    taken.append(_bound(each, port))
                # All have the same number, even if that was left to the system.
                port = taken[0].getsockname()[1]
        except BaseException:
            for each_socket in taken:
                each_socket.close()
            raise
        if not taken:
            raise AddressUnusable(f"There is no address to listen on in {host!r}.")
        return cls(*taken)

    @classmethod
    def unix(cls, path: Path) -> Self:
        """A unix socket. One that a server has left behind is removed; raises `AddressUnusable`."""
        with _named(str(path)):
            with suppress(FileNotFoundError):
                if stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
                    path.unlink()
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listener.bind(str(path))
            except OSError:
                listener.close()
                raise
        return cls(listener, uds=path)

    @classmethod
    def passed(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """What systemd has opened for this process (sd_listen_fds(3)); None if it has not."""
        if environment.get("LISTEN_PID") != str(os.getpid()):
            return None
        count = int(environment.get("LISTEN_FDS", "0"))
        sockets = [socket.socket(fileno=FIRST_PASSED + number) for number in range(count)]
        for each in sockets:
            os.set_inheritable(each.fileno(), False)
        return cls(*sockets) if sockets else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.sockets:
            each.close()
        if self._uds is not None:
            self._uds.unlink(missing_ok=True)

    @property
    def addresses(self) -> list[str]:
        """As a URL has them: 127.0.0.1:8080, [::1]:8080, or unix:/run/turnwire.sock."""
        return [_address(each) for each in self.sockets]

    def url(self, scheme: str) -> str:
        """That of the first address, without a path."""
        first = self.addresses[0]
        return f"{scheme}+{first}" if first.startswith("unix:") else f"{scheme}://{first}"

    @property
    def number(self) -> int | None:
        """That of the first address; None for a unix socket."""
        name = self.sockets[0].getsockname()
        return None if isinstance(name, str) else int(name[1])

    @property
    def is_open(self) -> bool:
        """Whether other machines are let in by every network."""
        return any(each.startswith(("0.0.0.0:", "[::]:")) for each in self.addresses)

    def arrivals(self, notices: Notices) -> Sequence[Accepted]:
        """The connections of each address, from now on. Raises `AddressUnusable`."""
        self.listen()
        return [Accepted(each, notices) for each in self.sockets]

    def listen(self) -> None:
        """Let clients connect. Raises `AddressUnusable`."""
        for each in self.sockets:
            # Only now, or a second server that starts could take the same port.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with _named(_address(each)):
                each.listen(BACKLOG)


def hosts(text: str) -> list[str]:
    """The hosts in a list that is separated by commas, without the brackets of URLs."""
    each = (host.strip().removeprefix("[").removesuffix("]") for host in text.split(","))
    return [host for host in dict.fromkeys(each) if host]


@contextmanager
def _named(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AddressUnusable(f"Cannot listen on {address}: {error.strerror or error}.") from None


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            # `::` listens on every network, by both versions of the protocol.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        try:
            bound.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            # Perhaps only connections of a server that has just stopped are in the way. Where
            # there is one, this fails too.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def _answers(path: Path) -> bool:
    """Whether a server listens at a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True


def _address(bound: socket.socket) -> str:
    name = bound.getsockname()
    if bound.family == socket.AF_UNIX:
        return f"unix:{name}"
    host, number = name[:2]
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
