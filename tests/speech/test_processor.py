"""Which instructions CTranslate2 is told to use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turnwire.speech.processor import instruction_set

ALL = "fpu avx2 avx512f avx512dq avx512cd avx512bw avx512vl"


def cpuinfo(folder: Path, vendor: str, flags: str) -> Path:
    file = folder / "cpuinfo"
    one = f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: {flags}\npower management:\n\n"
    file.write_text(2 * one)
    return file


@pytest.mark.parametrize(
    ("vendor", "flags", "told"),
    [
        ("AuthenticAMD", ALL, "AVX512"),
        ("AuthenticAMD", ALL.replace("avx512vl", ""), None),
        ("AuthenticAMD", "fpu avx2", None),
        ("GenuineIntel", ALL, None),
    ],
)
def test_it_is_told_of_avx_512_where_that_was_measured(
    tmp_path: Path, vendor: str, flags: str, told: str | None
) -> None:
    assert instruction_set(cpuinfo(tmp_path, vendor, flags)) == told


def test_it_is_told_nothing_where_nothing_is_known(tmp_path: Path) -> None:
    assert instruction_set(tmp_path / "none") is None
    (tmp_path / "arm").write_text("processor : 0\nFeatures : fp asimd\n")
    assert instruction_set(tmp_path / "arm") is None
    (tmp_path / "binary").write_bytes(b"vendor_id : \xff\n")
    assert instruction_set(tmp_path / "binary") is None


@pytest.mark.parametrize("given", ["AVX2", None])
def test_what_the_operator_says_holds(given: str | None) -> None:
    told = {} if given is None else {"CT2_FORCE_CPU_ISA": given}
    rest = {name: value for name, value in os.environ.items() if name != "CT2_FORCE_CPU_ISA"}
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, turnwire.speech; print(os.environ.get('CT2_FORCE_CPU_ISA'))",
        ],
        env={**rest, **told},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert shown == str(given or instruction_set())
