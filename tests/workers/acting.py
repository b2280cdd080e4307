"""A process that acts as a worker of three sessions, and ends as its part has it.

It is started as a worker is, with everybody's part before its number: `1=hangs 2=drains`.
"""

import json
import os
import signal
import socket
import sys
from typing import Any


def main() -> None:
    *parts, number, talk, _ = sys.argv[1:]
    with socket.socket(fileno=int(talk)) as talking:
        act(dict(part.split("=") for part in parts)[number], talking)


def act(part: str, talking: socket.socket) -> None:
    said = talking.makefile()

    def tell(kind: str, **what: Any) -> None:
        talking.sendall(json.dumps({"kind": kind, **what}).encode() + b"\n")

    def report(sessions: int) -> None:
        tell("report", sessions=sessions, limit=None, open=0, received=0)

    makes_key = json.loads(said.readline())["makes_key"]
    tell("opening")
    sessions, drained = 3, False
    report(sessions)
    if part == "loads":
        # It is ready when it has been told two things.
        said.readline()
        said.readline()
    tell("ready", ca_file=None)
    for line in said:
        match json.loads(line)["kind"], part:
            case ("read_certificate", "dies at first") if makes_key:
                os.kill(os.getpid(), signal.SIGKILL)
            case "drain", "dies draining":
                os.kill(os.getpid(), signal.SIGKILL)
            case _, "hangs":
                pass
            case "read_certificate", _:
                sessions += 1
                report(sessions)
            case ("drain", "drains") | ("hurry", _):
                if not drained:
                    tell("drained")
                drained = True
            case "end", _:
                return


if __name__ == "__main__":
    main()
