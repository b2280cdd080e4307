"""What models run on."""

import os
from dataclasses import dataclass

TOGETHER_ON_CPU = 8
TOGETHER_ON_GPU = 32
"""Windows decoded at once, at most: more save little, and all wait for the last."""

GPU_WORKERS = 2
"""Decodes at a time on a GPU, which each use all of it: one runs while the other is prepared."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device and how numbers are kept on it, both as CTranslate2 calls them."""

    name: str = "cpu"
    compute_type: str = "int8"

    @property
    def workers(self) -> int:
        """How many decodes run at a time."""
        if self.name != "cpu":
            return GPU_WORKERS
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    @property
    def together(self) -> int:
        """How many windows a decode takes, at most."""
        return TOGETHER_ON_CPU if self.name == "cpu" else TOGETHER_ON_GPU


CPU = Device()
