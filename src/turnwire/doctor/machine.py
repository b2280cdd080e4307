"""The machine: its processor, memory, disk, clock, and how many files may be open."""

import ctypes
import os
import platform
import resource
import shutil
import time
from pathlib import Path

from turnwire.doctor.findings import Finding, bad, doubtful, good
from turnwire.speech.processor import processor_fields

MIB = 1024 * 1024

FEW_FILES = 4096
"""Every session is an open file, and a compressed one needs some more."""

LITTLE_MEMORY, TOO_LITTLE_MEMORY = 1024 * MIB, 300 * MIB
LITTLE_DISK, TOO_LITTLE_DISK = 1024 * MIB, 50 * MIB

RELEASED = 1_764_000_000
"""Unix seconds before which no clock can be right: the code is younger."""

_UNSYNCHRONIZED = 5
"""What adjtimex(2) calls TIME_ERROR."""

_TIMEX_BYTES = 256
"""More than `struct timex` has anywhere. All zeros: nothing is to be changed."""


def processor(root: Path = Path("/"), *, workers: int = 1) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = cores or 1
    if workers > cores:
        return bad(
            "processor",
            f"{cores} cores for {workers} workers",
            "Each worker needs one; give fewer --workers.",
        )
    quota = _quota(root / "sys/fs/cgroup/cpu.max")
    if quota is not None and quota < cores:
        return doubtful(
            "processor",
            f"{cores} cores, but only the time of {quota:g}",
            "Threads are made for each core, and wait for each other; allow the container as many "
            "CPUs as it sees (cpuset), or more time.",
        )
    if platform.machine() == "x86_64" and _lacks_avx2(root / "proc/cpuinfo"):
        return doubtful(
            "processor",
            f"{cores} cores without AVX2",
            "Recognition is several times slower; have the virtual machine pass its host's CPU on.",
        )
    return good("processor", f"{cores} cores")


def _quota(path: Path) -> float | None:
    """How many cores' time this container may take; None if it is not limited."""
    try:
        most, period = path.read_text().split()
        return int(most) / int(period)
    except (OSError, ValueError):
        return None


def _lacks_avx2(cpuinfo: Path) -> bool:
    fields = processor_fields(cpuinfo)
    # Where nothing is known, nothing is said.
    return fields is not None and "avx2" not in fields.get("flags", "").split()


def memory(root: Path = Path("/")) -> Finding:
    free = _free_memory(root)
    if free is None:
        return good("memory", "how much is free is not known on this system")
    finding = f"{free // MIB} MiB free"
    if free < TOO_LITTLE_MEMORY:
        return bad("memory", finding, "A server with the smallest model needs 300 MiB.")
    if free < LITTLE_MEMORY:
        return doubtful("memory", finding, "Larger models and many sessions need more than 1 GiB.")
    return good("memory", finding)


def _free_memory(root: Path) -> int | None:
    """What this process may still take, the limit of its container counted."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        free = 1024 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return None
    group = root / "sys/fs/cgroup"
    try:
        most = int((group / "memory.max").read_text())
        return min(free, most - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        return free


def disk(folder: Path) -> Finding:
    """Where the accounts are kept, or would be."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(place).free
    finding = f"{free // MIB} MiB free at {place}"
    advice = "The ledger grows by some hundred bytes a session; make room, or move it (--data-dir)."
    if free < TOO_LITTLE_DISK:
        return bad("disk", finding, advice)
    return doubtful("disk", finding, advice) if free < LITTLE_DISK else good("disk", finding)


def open_files() -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return good("open files", "any number")
    if most < FEW_FILES:
        return doubtful(
            "open files",
            f"{most} at most",
            "Every session is an open file; raise the hard limit (LimitNOFILE of systemd, ulimit "
            "-Hn).",
        )
    return good("open files", f"{most} at most")


def clock(now: float | None = None) -> Finding:
    advice = "Certificates, tokens and the ledger go by it; let NTP set it."
    now = time.time() if now is None else now
    date = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC"
    if now < RELEASED:
        return bad("clock", f"{date}, which cannot be", advice)
    if _adjtimex() == _UNSYNCHRONIZED:
        return doubtful("clock", f"{date}, and nothing keeps it right", advice)
    return good("clock", date)


def _adjtimex() -> int | None:
    """How the kernel says that its clock is kept; None where it does not say."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (AttributeError, OSError):
        return None
