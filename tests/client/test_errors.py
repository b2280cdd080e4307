import re

import pytest

from turnwire.client import ClientError, LocalError, SessionClosed, errors
from turnwire.client.closures import ClosedBy, Closure
from turnwire.client.rows import ROWS
from turnwire.wire.closure import ClosureRow
from turnwire.wire.closures import SESSION_EXPIRED

OF_ROWS = {errors.class_name(row) for row in ROWS}


def drawn(parent: type, indent: str = "") -> list[str]:
    # Other rooms may have exceptions of the kind, too.
    children: list[type] = parent.__subclasses__()
    children = [each for each in children if each.__module__ == errors.__name__]
    children = [each for each in children if each.__name__ not in OF_ROWS]
    if parent is LocalError:
        children = sorted(children, key=lambda each: each.__name__)
    lines = []
    for child in children:
        last = child is children[-1]
        lines.append(f"{indent}{'└' if last else '├'}── {child.__name__}")
        lines += drawn(child, indent + ("    " if last else "│   "))
    return lines


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__ is not None
    # What stands beside a name is an explanation.
    shown = re.findall(r"^    (.*── \w+)", errors.__doc__, re.M)
    assert shown == drawn(ClientError)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_an_exception_named_after_it(row: ClosureRow) -> None:
    closure = Closure(row=row, code=row.code, text=row.template, by=ClosedBy.SERVER)
    error = errors.raised_for(closure)
    assert type(error).__name__.lower() == row.name.replace("_", "")
    assert getattr(errors, type(error).__name__) is type(error)
    assert type(error).__base__ is errors.BASES[row.kind]
    assert type(error).__doc__ == row.meaning
    assert error.closure is closure
    assert error.code == row.code


def test_the_text_tells_what_happened_in_which_order_and_what_to_do() -> None:
    closure = Closure(
        row=SESSION_EXPIRED,
        code=3008,
        text=SESSION_EXPIRED.template,
        by=ClosedBy.SERVER,
        story=("received Begin", "received Error 3008", "received close 3008", "sent close 3008"),
    )
    assert str(errors.SessionExpired(closure)) == (
        "3008 Session Expired: Maximum session duration exceeded (closed by the server); "
        "received Begin, received Error 3008, received close 3008, sent close 3008. "
        "Open a new session."
    )


def test_misuse_is_no_closure() -> None:
    assert not issubclass(errors.Misuse, SessionClosed)
    assert not issubclass(SessionClosed, LocalError)
