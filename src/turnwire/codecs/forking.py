"""The process that forks decoders: `python -m turnwire.codecs.forking`, its socket as stdin.

It has imported all that a decoder needs, so a fork costs milliseconds and shares its memory. It
ends, and ends all decoders, when its server's end of the socket is closed, however that came about.
"""

import gc
import os
import resource
import signal
import socket
import sys

from turnwire.codecs.framing import (
    DONE,
    END,
    FAILED,
    FORK,
    MESSAGE,
    MORE,
    REPLY,
    REPLY_BYTES,
    REQUEST,
)

MEMORY_BYTES = 128 << 20
"""How much memory one decoder may have, apart from code. It needs about 25 MB."""


def serve(control: socket.socket) -> None:
    """Fork and end decoders as the server asks, until it is gone."""
    decoders: dict[int, int] = {}  # process ids, by the server's numbers
    while True:
        request, sockets, _, _ = socket.recv_fds(control, REQUEST.size, 1)
        if not request:
            break
        kind, number = REQUEST.unpack(request)
        if kind == FORK:
            [theirs] = sockets
            try:
                decoders[number] = _fork(control, theirs)
            except OSError as error:
                # The server sees that the socket is closed.
                sys.stderr.write(f"no decoder could be forked: {error}\n")
            os.close(theirs)
        elif kind == END and number in decoders:
            _end(decoders.pop(number))
    for process in decoders.values():
        _end(process)


def _end(process: int) -> None:
    # It is waited for nowhere else, so even if it has died the number is still its own.
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def _fork(control: socket.socket, theirs: int) -> int:
    process = os.fork()
    if process:
        return process
    try:
        control.close()
        # What the C library says of a crash is of no use to anybody.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nowhere, standard)
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_DATA, MEMORY_BYTES)
        with socket.socket(fileno=theirs) as server:
            _decode(server)
    finally:
        os._exit(0)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _decode(server: socket.socket) -> None:
    """Answer each message, until one cannot be decoded or the server is gone."""
    from turnwire.codecs.decoding import DECODERS

    messages = server.makefile("rb")
    decoder = None
    try:
        while head := messages.read(MESSAGE.size):
            message = messages.read(*MESSAGE.unpack(head))
            samples = bytearray()
            if decoder is None:
                encoding, rate = message.decode().split()
                decoder = DECODERS[encoding](int(rate))
            else:
                for some in decoder.decode(message):
                    samples += some
                    if len(samples) >= REPLY_BYTES:
                        _reply(server, MORE, samples)
                        samples.clear()
            _reply(server, DONE, samples)
    except Exception as error:
        _reply(server, FAILED, (str(error) or type(error).__name__).encode(errors="replace"))


def _reply(server: socket.socket, kind: bytes, body: bytes | bytearray) -> None:
    server.sendall(REPLY.pack(kind, len(body)) + body)


def main() -> None:
    # The server decides when to end, and sessions have their last words then. A signal to all
    # processes of a service or a terminal is for it alone.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import turnwire.codecs.decoding  # noqa: F401

    # What all forks share is not to be touched by any.
    gc.freeze()
    serve(socket.socket(fileno=0))


if __name__ == "__main__":
    main()
