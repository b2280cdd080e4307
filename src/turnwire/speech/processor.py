"""Which of the processor's instructions the models are to use."""

from pathlib import Path

_AVX512 = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}
"""What CTranslate2 asks of a processor for its AVX-512 code."""

_MEASURED = "AuthenticAMD"
"""On those that are Intel's it leaves most of the work to MKL, which chooses for itself."""


def instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    """What CTranslate2 is to be told to use; None: it knows best."""
    try:
        first, *_ = cpuinfo.read_text().split("\n\n", 1)
    except (OSError, ValueError):
        return None
    fields = {
        name.strip(): value.split()
        for name, _, value in (line.partition(":") for line in first.splitlines())
    }
    has = _AVX512.issubset(fields.get("flags", ()))
    return "AVX512" if has and fields.get("vendor_id") == [_MEASURED] else None
