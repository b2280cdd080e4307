"""What the command needs of its process: standard streams that can be used, and an end."""

import codecs
import errno
import os
import re
import sys
from typing import TextIO

ASCII = str.maketrans({"–": "-", "—": "-", "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"'})
"""What stands for the typographic characters of our own texts where they cannot be shown."""

HOME_IN_OPTION = re.compile(r"(--[a-z][a-z-]*=)(~(?:/.*)?)", re.DOTALL)
"""No shell expands a ~ there, and people expect it to."""


def run() -> None:
    """Run `turnwire` with this process's arguments; does not return."""
    open_standard_descriptors()
    codecs.register_error("turnwire", _readable)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="turnwire")  # type: ignore[union-attr]
    sys.argv[1:] = map(_expanded, sys.argv[1:])

    from turnwire.cli import app
    from turnwire.cli.lines import why_not

    try:
        try:
            app(prog_name="turnwire")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _give_up_output()
    except OSError as error:
        if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
            raise
        _give_up_output()
        sys.stderr.write(f"Standard output cannot be written: {why_not(error)}.\n")
    sys.exit(1)


_OUTPUT_ERRORS = {errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC}


def open_standard_descriptors() -> None:
    """Let the descriptors 0 to 2 be taken, even if the process was started without them.

    Otherwise the first file or socket that is opened gets their numbers, and with them what was
    meant for the terminal. What is written to a standard output that was closed still fails.
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free, which is this one.
            os.open(os.devnull, flags)
    # Python has none for descriptors that were closed when it started.
    sys.stdout = sys.stdout or _stream(1)
    sys.stderr = sys.stderr or _stream(2)


def _stream(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", closefd=False)


def _give_up_output() -> None:
    """Let nobody fail again with what is still to be written, such as Python when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _readable(error: UnicodeError) -> tuple[str, int]:
    """What a terminal shows that does not know these characters."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(ASCII)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


def _expanded(argument: str) -> str:
    option = HOME_IN_OPTION.fullmatch(argument)
    return argument if option is None else option[1] + os.path.expanduser(option[2])  # noqa: PTH111
