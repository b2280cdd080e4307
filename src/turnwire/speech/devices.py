"""What models run on."""

import os
from dataclasses import dataclass

TOGETHER_ON_CPU = 8
TOGETHER_ON_GPU = 32
"""Windows decoded at once, at most: more save little, and all wait for the last."""

GPU_WORKERS = 2
"""Decodes at a time on a GPU, which each use all of it: one runs while the other is prepared."""

_COMPUTE_TYPES = {"cpu": "int8", "cuda": "float16"}
"""How numbers are kept if nobody says: the fastest on each of those that make no more errors."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device and how numbers are kept on it, both as CTranslate2 calls them."""

    name: str
    compute_type: str

    @classmethod
    def of(cls, name: str, compute_type: str | None = None) -> "Device":
        return cls(name, compute_type or _COMPUTE_TYPES[name])

    @property
    def is_cpu(self) -> bool:
        """Whether what it computes takes the time of the processors that serve sessions."""
        return self.name == "cpu"

    @property
    def workers(self) -> int:
        """How many decodes run at a time."""
        if not self.is_cpu:
            return GPU_WORKERS
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    @property
    def together(self) -> int:
        """How many windows a decode takes, at most."""
        return TOGETHER_ON_CPU if self.is_cpu else TOGETHER_ON_GPU


CPU = Device.of("cpu")
