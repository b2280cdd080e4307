"""What this server does about the parameters that a client asked for.

What each of them is, and whether it is refused or has no effect, is in `turnwire.wire.parameters`.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from turnwire.wire.closure import Violation
from turnwire.wire.closures import INVALID_PARAMETER
from turnwire.wire.marks import NoEffect, Only, WhereServed
from turnwire.wire.models import MODELS, Family
from turnwire.wire.parameters import (
    ConnectionParameters,
    LiveParameters,
    field_of,
    validated,
)

Mark = TypeVar("Mark", NoEffect, Only, WhereServed)

_FIXED = frozenset(ConnectionParameters.model_fields) - frozenset(LiveParameters.model_fields)

_NEEDED_BY_OTHERS = ("voice_focus", "webhook_auth_header_name")
"""Without these, other parameters are errors."""


def family_of(parameters: ConnectionParameters, *, loaded: str) -> Family:
    """The family of the model that was asked for; raises `Violation` for a name of none.

    `loaded` is the model that serves them all, and a name for itself.
    """
    name = parameters.speech_model
    if name is None or name == loaded:
        return Family.UNIVERSAL_STREAMING
    family = MODELS.get(name)
    if family is None:
        known = ", ".join((*MODELS, loaded))
        detail = f"Input should be one of {known}"
        raise Violation(INVALID_PARAMETER.fill(name="speech_model", detail=detail))
    return family


def check_served(parameters: ConnectionParameters, served: Collection[str]) -> None:
    """Raises `Violation` for a parameter that this server does nothing about.

    `served` are those that it does, of the ones that some servers do.
    """
    for name, _ in _given(parameters):
        mark = _mark(name, WhereServed)
        if mark is not None and name not in served:
            detail = f"Value error, {mark.reason}"
            raise Violation(INVALID_PARAMETER.fill(name=name, detail=detail))


def check_family(parameters: LiveParameters, family: Family, model: str) -> None:
    """Raises `Violation` for a parameter that a session with this model must not have."""
    for name, value in _given(parameters):
        only = _mark(name, Only)
        if value and only and only.refused_elsewhere and family is not only.family:
            raise Violation(
                INVALID_PARAMETER.fill(
                    name=name,
                    detail=f"Value error, {name} is only supported with the 'u3-rt-pro' "
                    f"speech_model. Current speech_model: {model!r}",
                )
            )


def without_effect(parameters: LiveParameters, family: Family) -> Iterator[tuple[str, str]]:
    """Which of the parameters given change nothing in a session of this family, and why."""
    for name, _ in _given(parameters):
        only = _mark(name, Only)
        if (mark := _mark(name, NoEffect)) is not None:
            yield name, mark.reason
        elif only is not None and family is not only.family:
            yield name, f"only {only.family.label} models have it"


def unchanged(
    update: Mapping[str, Any], current: ConnectionParameters
) -> Iterator[tuple[str, str]]:
    """Which values of an update are of parameters that only a connection has, and other than those
    of this one; raises `Violation` for what a connection would be refused for."""
    fixed = {
        name: value
        for name, value in update.items()
        if field_of(name) in _FIXED and value is not None
    }
    names = {field for name in fixed if (field := field_of(name)) is not None}
    beside = {name: getattr(current, name) for name in _NEEDED_BY_OTHERS if name not in names}
    asked = validated({**beside, **fixed})
    for name in sorted(names):
        if getattr(asked, name) != getattr(current, name):
            yield name, "it cannot be changed while the session runs"


def _given(parameters: LiveParameters) -> Iterator[tuple[str, Any]]:
    for name in sorted(parameters.model_fields_set & ConnectionParameters.model_fields.keys()):
        value = getattr(parameters, name)
        if value is not None and value is not False and value != "" and value != []:
            yield name, value


def _mark(name: str, kind: type[Mark]) -> Mark | None:
    """What a parameter is marked with."""
    marks = ConnectionParameters.model_fields[name].metadata
    return next((mark for mark in marks if isinstance(mark, kind)), None)
