"""All checks, one after the other."""

import time
from collections.abc import Callable, Iterable, Iterator

from turnwire.doctor import machine, serving, store
from turnwire.doctor.findings import Finding, doubtful
from turnwire.server.settings import Settings, SettingsError


def examine(settings: Settings) -> Iterator[Finding]:
    """What there is to say about a server with these settings. Nothing is changed."""
    checks: dict[str, Callable[[], Finding | Iterable[Finding]]] = {
        "processor": lambda: machine.processor(workers=settings.workers),
        "memory": machine.memory,
        "open files": machine.open_files,
        "clock": machine.clock,
        "disk": lambda: machine.disk(settings.data_folder_name()),
        "accounts": lambda: store.accounts(settings, time.time()),
        "address": lambda: serving.address(settings),
        "TLS": lambda: serving.tls(settings, time.time()),
        "model": lambda: serving.model(settings),
    }
    for name, check in checks.items():
        try:
            found = check()
            yield from [found] if isinstance(found, Finding) else found
        except SettingsError as error:
            yield doubtful(name, str(error), "Give a folder with --data-dir.")
        except Exception as error:
            yield doubtful(name, f"could not be found out: {error}", "Report it, please.")
