"""What a figure was measured on."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

from turnwire.speech.processor import processor_fields

PACKAGES = (
    "turnwire",
    "ctranslate2",
    "faster-whisper",
    "numpy",
    "onnxruntime",
    "uvicorn",
    "uvloop",
    "websockets",
)
"""Those that a figure may depend on."""


@dataclass(frozen=True, slots=True)
class Machine:
    cpu: str
    cores: int
    system: str
    python: str
    packages: dict[str, str]
    """Their versions."""
    date: str
    load_average: float
    """Of the last minute: near 0 if nothing else ran."""


def this_machine() -> Machine:
    """This one, as it is now: to be asked before anything is measured."""
    return Machine(
        cpu=_cpu(),
        cores=_cores(),
        system=platform.platform(),
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in PACKAGES},
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        load_average=round(os.getloadavg()[0], 2),
    )


def _cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    name = (processor_fields() or {}).get("model name")
    if name is not None:
        return name
    return platform.processor() or platform.machine()
