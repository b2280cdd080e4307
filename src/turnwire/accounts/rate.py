"""How many sessions an account may open in a minute: a limit that grows with its use.

A minute in which 70 % of the limit or more was used raises it by a tenth for the next; one in
which less than half was used lowers it by a tenth, but never below where it started. There is no
ceiling: 100, 110, 121, 133, 146, 161, ...
"""

START = 100
"""Where the limit starts unless an operator says something else."""


def limit_after(limit: int, used: int, minutes: int, *, start: int) -> int:
    """The limit `minutes` after the one in which `used` of `limit` sessions were opened.

    In the minutes between, none were. `limit` and `start` are 1 at least.
    """
    if minutes == 0:
        return limit
    if 10 * used >= 7 * limit:
        # To the nearest whole number; a limit below 5 would otherwise never grow.
        limit = max(limit + 1, (11 * limit + 5) // 10)
    elif 2 * used < limit:
        limit = _lowered(limit, start)
    idle = minutes - 1
    # It is at the start after a few dozen minutes, however long the gap.
    while idle and limit > start:
        limit = _lowered(limit, start)
        idle -= 1
    return limit


def _lowered(limit: int, start: int) -> int:
    return max(start, 9 * limit // 10)
