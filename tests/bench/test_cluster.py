"""The simulation of a cluster, `benchmarks/cluster.py`."""

import subprocess
import sys
from pathlib import Path

SIMULATION = Path(__file__).parents[2] / "benchmarks" / "cluster.py"


def test_few_nodes_are_easy_and_a_slow_database_is_found_out() -> None:
    def verdicts(*options: str) -> list[str]:
        command = [sys.executable, str(SIMULATION), "--nodes=20", "--accounts=1", *options]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [line.split("|")[-2].strip() for line in said.splitlines()[2:]]

    assert verdicts() == ["yes", "yes"]
    # With limits, those who wait for the account's lock wait for the way to the database, too.
    assert verdicts("--way-ms=40") == ["no", "yes"]
