"""`turnwire serve` as a process of its own, as an operator starts it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TURNWIRE = [sys.executable, "-m", "turnwire"]


def first_key(line: str) -> str:
    """The key in the file that a server without a terminal has said it is in."""
    [path] = re.findall(r"Your API key is in (.*), which only you can read\.", line)
    return Path(path).read_text().strip()


@dataclass
class Serving:
    """A server that is ready; `said` are the lines that it has printed."""

    process: subprocess.Popen[str]
    said: list[str]

    @property
    def url(self) -> str:
        [url] = re.findall(r"ready at (wss?://\S+)/v3/ws", "\n".join(self.said))
        return str(url)

    @property
    def http(self) -> str:
        return self.url.replace("ws", "http", 1)

    @property
    def key(self) -> str:
        return first_key(self.said[0])

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        # Longer than a drain.
        return self.process.wait(60)


@contextmanager
def serving(
    data_dir: Path,
    *options: str,
    before: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    **popen: Any,
) -> Iterator[Serving]:
    """A server with the echo engine on a free port; killed at the end if it is still there."""
    command = [*before, *TURNWIRE, "serve", "--model=echo", "--port=0", f"--data-dir={data_dir}"]
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
        **popen,
    ) as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            for line in process.stdout:
                said.append(line.rstrip("\n"))
                if "ready at" in line:
                    break
            yield Serving(process, said)
        finally:
            process.kill()
