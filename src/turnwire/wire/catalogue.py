"""The closure table for programs: what `/v3/closures.json` and `turnwire closures` give."""

from typing import Any

from turnwire.wire.closures import CLOSURES


def closure_rows() -> list[dict[str, Any]]:
    """One object a row. `retry_after` is in seconds; null means that a retry is of no use."""
    return [
        {
            "name": row.name,
            "code": row.code,
            "text": row.template,
            "kind": row.kind.value,
            "phase": row.phase.value,
            "drains": row.drains,
            "retry_after": row.retry_after,
            "meaning": row.meaning,
            "advice": row.advice,
            "how_to_trigger": row.how_to_trigger,
        }
        for row in CLOSURES
    ]
