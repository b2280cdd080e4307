"""One process of a server that has several: `python -m turnwire.cli.worker NUMBER TALK HANDING`.

The last two are descriptors of sockets: over one it talks with its supervisor, over the other it
is handed connections. It ends when the supervisor is gone.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from typing import Any

from turnwire.cli.lines import LineWriter, logging_to, writing_to
from turnwire.cli.log_formats import formatter_of_worker
from turnwire.cli.process import open_standard_descriptors
from turnwire.cli.serving import CannotServe, Parts, served
from turnwire.server.settings import Settings
from turnwire.workers.channel import hear, say
from turnwire.workers.handing import Handed
from turnwire.workers.link import Link

STDOUT, STDERR = 1, 2


def main() -> None:
    # The supervisor decides when to end, and sessions have their last words then. A signal to all
    # processes of a service or a terminal is for it alone.
    for sign in (
        *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
        *(signal.SIGUSR1, signal.SIGUSR2),
    ):
        signal.signal(sign, signal.SIG_IGN)
    open_standard_descriptors()
    number, talk, handing = map(int, sys.argv[1:])
    with socket.socket(fileno=talk) as talking, socket.socket(fileno=handing) as handed:
        for each in (talking, handed):
            each.set_inheritable(False)
        begin = hear(talking)
        if begin is not None:
            # Before anything is loaded that makes a thread for each of them.
            os.sched_setaffinity(0, begin["processors"])
            _run(number, begin, talking, handed)


def _run(number: int, begin: dict[str, Any], talking: socket.socket, handed: socket.socket) -> None:
    import uvloop

    settings = Settings.model_validate(begin["settings"])
    with (
        logging_to(
            STDERR,
            formatter_of_worker(settings.log_format, number),
            logging.getLevelName(settings.log_level),
        ),
        writing_to(STDOUT) as output,
    ):
        try:
            parts = Parts(settings)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(number, begin, settings, parts, talking, handed, output))
        except CannotServe as error:
            # The supervisor knows whether that is the end.
            say("failed", over=talking, text=str(error))
            sys.exit(1)


async def _serve(
    number: int,
    begin: dict[str, Any],
    settings: Settings,
    parts: Parts,
    talking: socket.socket,
    handing: socket.socket,
    output: LineWriter,
) -> None:
    handed = Handed(handing, begin["url"])
    link = Link(begin["server"], number, handed)
    certificate = parts.certificate
    link.read_certificate = certificate.read_again
    tasks = [asyncio.create_task(link.keep_telling())]
    if number == 1:
        tasks.append(asyncio.create_task(certificate.watch()))
    try:
        # The socket itself is left to whoever says how this ended.
        await link.obey(talking.dup())
        link.opening()
        async with served(
            settings,
            parts,
            handed,
            output,
            link.drain_asked,
            siblings=link,
            makes_key=begin["makes_key"],
        ) as (service, _):
            ca_file = certificate.tls.ca_file if certificate.tls else None
            link.ready(service, str(ca_file) if ca_file else None)
            await link.drain_asked.wait()
            await service.drain(settings.drain_seconds, link.hurry)
            link.drained()
            await link.end.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await link.close()


if __name__ == "__main__":
    main()
