"""What systemd is told about the server, by the protocol of sd_notify(3)."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def notify(*states: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell the service manager, if there is one: READY=1, STOPPING=1, STATUS=..."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, suppress(OSError):
        # The server does not wait for a manager that does not read.
        manager.setblocking(False)
        # An @ stands for an address that is no file.
        manager.connect(address.replace("@", "\0", 1) if address[0] == "@" else address)
        manager.send("\n".join(states).encode())
