"""The marks of parameters that this server does nothing about, always or in some sessions.

`Refused` is what a client would rely on: it ends the session, and so does `WhereServed` on a server
that lacks it. `NoEffect` is answered by a Warning, for clients that asked for those; so is `Only`
in a session of another family.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from turnwire.wire.models import Family


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter whose value must be false or empty: this server lacks what it asks for, and a
    client would rely on it."""

    reason: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any) -> Any:
        if value:
            raise ValueError(self.reason)
        return value


@dataclass(frozen=True, slots=True)
class NoEffect:
    """A parameter that is read and checked, and changes nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Only:
    """A parameter that sessions of one family alone have."""

    family: Family
    refused_elsewhere: bool = False
    """Else it changes nothing there."""


@dataclass(frozen=True, slots=True)
class WhereServed:
    """A parameter that some servers do something about; the others refuse it."""

    reason: str
    """Why those refuse it."""
