from turnwire.client import ClosedBy, Closing
from turnwire.wire.messages import Error, Termination

TERMINATION = Termination(audio_duration_seconds=7, session_duration_seconds=8)


def test_the_text_of_the_error_goes_before_the_reason_which_may_only_point_to_it() -> None:
    closing = Closing(
        code=3006,
        reason="See Error message for details",
        by=ClosedBy.SERVER,
        error=Error(error_code=3006, error="Invalid JSON: {not json"),
    )
    assert closing.text == "Invalid JSON: {not json"
    assert str(closing) == "3006 Invalid JSON: {not json (closed by the server)"


def test_a_closing_without_any_reason_says_so() -> None:
    closing = Closing(code=1011, reason="", by=ClosedBy.SERVER)
    assert str(closing) == "1011 no reason given (closed by the server)"


def test_only_1000_after_termination_is_complete() -> None:
    assert Closing(code=1000, reason="", by=ClosedBy.SERVER, termination=TERMINATION).complete
    assert not Closing(code=1000, reason="", by=ClosedBy.SERVER).complete
    assert not Closing(code=3005, reason="", by=ClosedBy.SERVER, termination=TERMINATION).complete
