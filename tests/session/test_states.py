"""The states of a session: whole when they are made, and in one table."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from turnwire import session
from turnwire.session.events import Event
from turnwire.session.session import EVENTS
from turnwire.session.state import Closed
from turnwire.session.states import Live, Opening
from turnwire.wire.messages import ClientMessage

FILES = sorted(Path(session.__path__[0]).glob("*.py"))


def attributes(node: ast.AST) -> Iterator[str]:
    """The attributes of `self` that are assigned in it."""
    for each in ast.walk(node):
        if (
            isinstance(each, ast.Attribute)
            and isinstance(each.ctx, ast.Store)
            and isinstance(each.value, ast.Name)
            and each.value.id == "self"
        ):
            yield each.attr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_attribute_appears_outside_a_constructor(path: Path) -> None:
    for kind in ast.walk(ast.parse(path.read_text())):
        if not isinstance(kind, ast.ClassDef):
            continue
        constructors = [
            each
            for each in kind.body
            if isinstance(each, ast.FunctionDef) and each.name == "__init__"
        ]
        made = {name for constructor in constructors for name in attributes(constructor)}
        assert set(attributes(kind)) <= made, f"{kind.name} in {path.name}"


def test_every_state_can_be_reached_and_left() -> None:
    reached = {target for events in EVENTS.values() for row in events.values() for target in row.to}
    assert reached == set(EVENTS) - {Opening}
    assert all(events for state, events in EVENTS.items() if state is not Closed)


def test_every_event_concerns_some_state() -> None:
    assert {event for events in EVENTS.values() for event in events} == set(Event.__args__)


def test_every_message_of_a_client_has_an_answer() -> None:
    assert set(Live._MESSAGES) == set(get_args(ClientMessage))
