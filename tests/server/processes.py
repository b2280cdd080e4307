"""The processes that a server decodes with, as /proc tells of them."""

from pathlib import Path


def decoders(server: int) -> list[int]:
    """The decoders of the server that is this process, and last the process that forks them."""
    forking = children(server, "turnwire.codecs.forking")
    return [process for parent in forking for process in (*children(parent), parent)]


def alive(process: int) -> bool:
    try:
        return ") Z " not in about(process, "stat")
    except OSError:
        return False


def about(process: int, what: str) -> str:
    return Path(f"/proc/{process}/{what}").read_text()


def children(parent: int, command: str = "") -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        process = int(folder.name)
        try:
            fields = about(process, "stat").rpartition(")")[2].split()
            if int(fields[1]) == parent and alive(process) and command in about(process, "cmdline"):
                found.append(process)
        except OSError:
            pass  # It has ended meanwhile.
    return found
