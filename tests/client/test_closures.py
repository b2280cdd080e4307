import pytest

from turnwire.client import ClosedBy, Closure
from turnwire.client.closures import handshake_row, row_of
from turnwire.client.rows import ROWS, UNKNOWN_CLOSURE
from turnwire.wire.closure import ClosureRow, Kind
from turnwire.wire.closures import (
    CLOSURES,
    INACTIVE,
    INPUT_DURATION,
    INVALID_JSON,
    INVALID_PARAMETER,
    SESSION_ENDED,
    SESSION_EXPIRED,
    TOO_MANY_SESSIONS,
    TRANSMISSION_RATE,
    UNAUTHORIZED,
    UNDECODABLE_AUDIO,
)

TOLD = [row for row in CLOSURES if row.kind in (Kind.ERROR, Kind.KNOWN)]

FIRST_OF_TEXT = {row.template: row for row in reversed(TOLD)}
"""The row that a text stands for: the first that has it."""


def closure(row: ClosureRow, **fields: object) -> Closure:
    filled: dict[str, object] = {"code": row.code, "text": row.template, "by": ClosedBy.SERVER}
    return Closure(row=row, **(filled | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("row", TOLD, ids=lambda row: row.name)
def test_every_row_is_recognized_by_its_text(row: ClosureRow) -> None:
    assert row_of(row.code, row.for_example().text) is FIRST_OF_TEXT[row.template]


@pytest.mark.parametrize("row", TOLD, ids=lambda row: row.name)
def test_without_a_text_the_code_tells_the_row_if_no_other_shares_it(row: ClosureRow) -> None:
    same = [each for each in TOLD if each.code == row.code]
    alone = len({each.template for each in same}) == 1
    told = row_of(row.code, "See Error message for details")
    assert told is (same[0] if alone else UNKNOWN_CLOSURE)


@pytest.mark.parametrize(
    ("code", "text", "row"),
    [
        # As the vendor's servers word them.
        (3006, "User Input Validation Error: Invalid JSON: Expecting property name", INVALID_JSON),
        (
            3006,
            "User Input Validation Error: Failed to decode Opus packet: [Errno 1094995529] "
            "Invalid data found when processing input: 'avcodec_send_packet()'",
            UNDECODABLE_AUDIO,
        ),
        (3006, "User Input Validation Error: prompt is only supported here", INVALID_PARAMETER),
        (
            3007,
            "Input Duration Error: Input Duration Violation: 25.0 ms. "
            "Expected between 50 and 1000 ms",
            INPUT_DURATION,
        ),
        (
            3007,
            "Audio transmission rate exceeded: too much audio buffered",
            TRANSMISSION_RATE,
        ),
        (1008, "Unauthorized Connection: Too many concurrent sessions", TOO_MANY_SESSIONS),
        (1008, "Unauthorized Connection: Signature has expired", UNAUTHORIZED),
        # What a client sent and an error repeats is no text of the server's.
        (3006, "Invalid JSON: Session Expired: Maximum session duration exceeded", INVALID_JSON),
        (3006, "session terminated due to inactivity", INACTIVE),
        # Codes that stand in no table.
        (4008, "Session expired: maximum session duration exceeded", SESSION_EXPIRED),
        (4031, "Session idle for too long", UNKNOWN_CLOSURE),
        (3006, "Something new", UNKNOWN_CLOSURE),
    ],
)
def test_other_servers(code: int, text: str, row: ClosureRow) -> None:
    assert row_of(code, text) is row


@pytest.mark.parametrize(
    ("code", "name"), [(1001, "going_away"), (1012, "service_restart"), (1014, "bad_gateway")]
)
def test_codes_of_what_stands_before_a_server(code: int, name: str) -> None:
    row = row_of(code, "")
    assert row.name == name
    assert closure(row).retryable


def test_a_handshake_that_failed_for_now_is_told_from_one_that_was_refused() -> None:
    names = {status: handshake_row(status).name for status in (401, 410, 429, 502)}
    assert names == {
        401: "handshake_refused",
        410: "deprecated_endpoint",
        429: "handshake_failed",
        502: "handshake_failed",
    }


def test_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_a_closure_says_is_what_its_row_says(row: ClosureRow) -> None:
    ended = closure(row)
    assert (ended.name, ended.advice) == (row.name, row.advice)
    assert ended.is_error == (row.kind in (Kind.ERROR, Kind.HTTP))
    assert ended.retryable == (row.retry_after is not None and row.code != 1008)
    assert ended.complete == (row is SESSION_ENDED)


def test_1008_is_never_tried_again() -> None:
    assert closure(TOO_MANY_SESSIONS).retry_after == 30
    assert closure(TOO_MANY_SESSIONS, code=1008).retry_after is None


def test_a_closure_in_one_line() -> None:
    assert str(closure(SESSION_ENDED)) == "1000 Session Ended (closed by the server)"
    bare = closure(UNKNOWN_CLOSURE, code=4000, text="")
    assert str(bare) == "4000 no reason given (closed by the server)"
