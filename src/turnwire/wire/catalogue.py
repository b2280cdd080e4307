"""The tables of the protocol for programs: closures and parameters, as JSON can hold them."""

from typing import Any

from turnwire.wire.closures import CLOSURES
from turnwire.wire.parameters import ConnectionParameters


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


def parameter_rows() -> list[dict[str, Any]]:
    """One object a connection parameter; `choices` is null where any value of its kind will do."""
    properties = ConnectionParameters.model_json_schema(by_alias=False)
    return [
        {
            "name": name,
            "description": schema.get("description", ""),
            "default": _written(schema.get("default")),
            "choices": _choices(schema, properties.get("$defs", {})),
        }
        for name, schema in sorted(properties["properties"].items())
    ]


def _choices(schema: dict[str, Any], definitions: dict[str, Any]) -> list[str] | None:
    """The values of a flag or an enumeration."""
    for option in schema.get("anyOf", [schema]):
        named = definitions.get(option.get("$ref", "").rpartition("/")[2], option)
        if named.get("type") == "boolean":
            return ["true", "false"]
        if "enum" in named:
            return [str(value) for value in named["enum"]]
    return None


def _written(default: Any) -> str | None:
    """A default as a query string has it."""
    return str(default).lower() if isinstance(default, bool) else default and str(default)
