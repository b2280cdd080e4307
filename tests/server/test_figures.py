"""What several processes say of themselves, added up."""

from dataclasses import replace

from turnwire.server.figures import AS_JSON, ProcessFigures, add_up

ONE = ProcessFigures(
    model="base",
    quality="full",
    waiting_seconds=0.5,
    waiting_final=1,
    waiting_partial=2,
    batches={1: 10, 8: 1},
    threads=2,
    sessions=3,
    max_sessions=20,
    event_loop_lag_ms=1.5,
    held_audio_bytes=1000,
    max_held_audio_bytes=4000,
    draining=False,
)


def test_what_is_countable_is_summed_and_of_what_can_be_bad_it_is_the_worst() -> None:
    other = replace(
        ONE,
        quality="narrow search",
        waiting_seconds=0.1,
        batches={8: 2},
        max_sessions=5,
        event_loop_lag_ms=9.0,
        draining=True,
    )
    assert add_up([ONE, other]) == ProcessFigures(
        model="base",
        quality="narrow search",
        waiting_seconds=0.5,
        waiting_final=2,
        waiting_partial=4,
        batches={1: 10, 8: 3},
        threads=4,
        sessions=6,
        max_sessions=25,
        event_loop_lag_ms=9.0,
        held_audio_bytes=2000,
        max_held_audio_bytes=8000,
        draining=True,
    )


def test_with_a_part_of_which_there_may_be_any_number_there_may_be_any_number() -> None:
    assert add_up([ONE, replace(ONE, max_sessions=None)]).max_sessions is None


def test_those_of_one_are_its_own_and_come_over_a_channel_as_they_are() -> None:
    assert add_up([ONE]) == ONE == AS_JSON.validate_json(AS_JSON.dump_json(ONE))
