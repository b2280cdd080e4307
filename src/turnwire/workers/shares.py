"""What of a server each of its workers has: processors, sessions, a name."""

import itertools
import os
from collections.abc import Sequence

from turnwire.server.settings import Settings, SettingsError


def processors(workers: int) -> list[list[int]]:
    """Those of this process, divided among so many workers. Raises `SettingsError`.

    Neighbours stay together, as they share caches and memory on large machines.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise SettingsError(
            "Only Linux lets a process have its share of the processors: leave out --workers here."
        )
    ours = sorted(os.sched_getaffinity(0))
    if workers > len(ours):
        raise SettingsError(
            f"Each worker needs a processor of its own, and there are {len(ours)} for "
            f"{workers} workers."
        )
    return [list(part) for part in _parts(ours, workers)]


def settings_of(settings: Settings, number: int) -> Settings:
    """Those of one worker, which is one server among its siblings."""
    update: dict[str, object] = {"node": f"{settings.node}#{number}", "workers": 1}
    if settings.max_sessions is not None:
        parts = _parts(range(settings.max_sessions), settings.workers)
        update["max_sessions"] = len(parts[number - 1])
    return settings.model_copy(update=update)


def _parts(all_of_them: Sequence[int], count: int) -> list[Sequence[int]]:
    """As equal as they can be."""
    ends = [len(all_of_them) * place // count for place in range(count + 1)]
    return [all_of_them[begin:end] for begin, end in itertools.pairwise(ends)]
