"""The query string of a connection."""

import json
from collections.abc import Iterable

from turnwire.wire.closure import Violation
from turnwire.wire.closures import INVALID_PARAMETER
from turnwire.wire.parameters import ConnectionParameters, field_of, validated

LISTS = ("keyterms_prompt", "language_codes", "language_code", "redact_pii_policies")
"""The parameters that may be given piece by piece: repeated, or as `name[]`."""

TOKEN = "token"
"""The parameter that is no parameter of the session: a temporary token."""


def parse_query(query: Iterable[tuple[str, str]]) -> ConnectionParameters:
    """The parameters of a decoded query string.

    Raises `Violation` for the first bad value, and for a parameter given twice with different
    values, of which one would be lost.
    """
    values: dict[str, list[str]] = {}
    for name, value in query:
        plain = name.removesuffix("[]")
        known = field_of(plain)
        if known in LISTS and plain != name:
            value = _as_list(value)
        if known is not None or plain == TOKEN:
            values.setdefault(plain, []).append(value)
    merged = {name: _merged(name, several) for name, several in values.items()}
    merged.pop(TOKEN, None)
    return validated(merged)


def _merged(name: str, values: list[str]) -> str | list[str]:
    if all(value == values[0] for value in values):
        return values[0]
    field = field_of(name)
    if field not in LISTS:
        detail = "given more than once, with different values"
        raise Violation(INVALID_PARAMETER.fill(name=name, detail=detail))
    return [item for value in values for item in getattr(validated({name: value}), field)]


def _as_list(value: str) -> str:
    """A value of `name[]`, which is one item, or a list already."""
    return value if value.startswith("[") else json.dumps([value])
