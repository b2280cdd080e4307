"""What is in `deploy/` is read by the programs that it is for, where they are installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"

PATH = "/usr/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"


@pytest.mark.parametrize(
    ("program", "file", "check"),
    [
        ("haproxy", "compose/haproxy.cfg", ["-c", "-f"]),
        ("nginx", "compose/nginx.conf", ["-t", "-c"]),
    ],
)
def test_a_proxy_reads_its_configuration(
    program: str, file: str, check: list[str], tmp_path: Path
) -> None:
    command = shutil.which(program, path=PATH)
    if command is None:
        pytest.skip(f"there is no {program} here; apt-get install {program}")
    # The nodes have names only where they run.
    text = re.sub(r"node\d:8080", "127.0.0.1:8080", (DEPLOY / file).read_text())
    copy = tmp_path / "configuration"
    if program == "nginx":
        text = f"pid {tmp_path}/nginx.pid;\n{text}"
    copy.write_text(text)
    outcome = subprocess.run(
        [command, *check, str(copy)], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_a_stop_waits_longer_than_a_drain() -> None:
    unit = (DEPLOY / "systemd/turnwire.service").read_text()
    compose = (DEPLOY / "compose/compose.yaml").read_text()
    kubernetes = (DEPLOY / "kubernetes/turnwire.yaml").read_text()
    for text, waits in (
        (unit, r"TimeoutStopSec=(\d+)"),
        (compose, r"stop_grace_period: (\d+)s"),
        (kubernetes, r"terminationGracePeriodSeconds: (\d+)"),
    ):
        [wait] = re.findall(waits, text)
        [drain] = re.findall(r"TURNWIRE_DRAIN_SECONDS\D+(\d+)", text)
        assert int(wait) > int(drain) + 15
