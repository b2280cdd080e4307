"""What is known of the processor, and which of its instructions the models are to use."""

from pathlib import Path

_AVX512 = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}
"""What CTranslate2 asks of a processor for its AVX-512 code."""

_MEASURED = "AuthenticAMD"
"""On those that are Intel's it leaves most of the work to MKL, which chooses for itself."""


def processor_fields(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str] | None:
    """What Linux says of the first processor, by name; None where it says nothing."""
    try:
        first, *_ = cpuinfo.read_text().split("\n\n", 1)
    except (OSError, ValueError):
        return None
    fields = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields}


def instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    """What CTranslate2 is to be told to use; None: it knows best."""
    fields = processor_fields(cpuinfo) or {}
    has = _AVX512.issubset(fields.get("flags", "").split())
    return "AVX512" if has and fields.get("vendor_id") == _MEASURED else None
