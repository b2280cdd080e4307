from dataclasses import replace

import pytest

from tests.client.servers import turn
from tests.support import loud, quiet
from turnwire.client.async_client import REPLAY_SECONDS
from turnwire.client.audio import AudioFormat
from turnwire.client.cursor import Cursor, Nothing
from turnwire.client.messages import (
    Heartbeat,
    LLMGatewayResponse,
    Revision,
    Silence,
    SpeakerRevision,
    SpeechStarted,
)
from turnwire.client.placing import LegPlace
from turnwire.client.recording import MemoryRecording
from turnwire.client.timeline import Timeline
from turnwire.wire.encodings import Encoding

FORMAT = AudioFormat(16_000, Encoding.PCM_S16LE)

MS = 32
"""Bytes."""


def empty(format: AudioFormat = FORMAT) -> Timeline:
    return Timeline(format, MemoryRecording(format.size(REPLAY_SECONDS)))


def timeline(*audio: bytes) -> Timeline:
    made = empty()
    for each in audio:
        made.append(each, sent=None)
    return made


def given(cursor: Cursor) -> list[int | str]:
    """What there is to send, audio as its length in ms."""
    items: list[int | str] = []
    while isinstance(item := cursor.next(), bytes | str):
        items.append(item if isinstance(item, str) else len(item) // MS)
    return items


@pytest.mark.parametrize(
    ("ms", "live", "finished"),
    [
        (0, [], []),
        (30, [], [50]),
        (99, [], [99]),
        (100, [100], [100]),
        (1000, [1000], [1000]),
        (1020, [1000], [950, 70]),
        (2500, [1000, 1000, 500], [1000, 1000, 500]),
    ],
)
def test_messages_have_a_length_that_servers_accept(
    ms: int, live: list[int], finished: list[int]
) -> None:
    line = timeline(bytes(ms * MS))
    assert given(Cursor(line, 0)) == live
    line.finished = True
    cursor = Cursor(line, 0)
    assert given(cursor) == finished
    assert cursor.next() is Nothing.MORE


def test_half_a_sample_waits_for_the_other_half() -> None:
    line = timeline(bytes(3201))
    assert line.end == 3200
    line.append(b"\0", sent=None)
    assert line.end == 3202


def test_what_is_filled_up_is_silence_in_every_encoding() -> None:
    line = empty(AudioFormat(8000, Encoding.PCM_MULAW))
    line.append(b"\1", sent=None)
    line.finished = True
    assert Cursor(line, 0).next() == b"\1" + b"\xff" * 399


def test_messages_come_where_they_belong_also_when_they_are_sent_again() -> None:
    line = timeline(bytes(130 * MS))
    line.mark("a")
    line.append(bytes(120 * MS), sent=None)
    line.mark("b")
    assert given(Cursor(line, 0)) == [130, "a", 120, "b"]
    assert given(Cursor(line, 130 * MS)) == ["a", 120, "b"]
    assert given(Cursor(line, 140 * MS)) == [110, "b"]
    assert given(Cursor(line, 0, end=200 * MS)) == [130, "a", 70]


def test_a_final_turn_covers_its_words() -> None:
    line = timeline(loud(1000), quiet(1000), loud(1000))
    line.hear(turn("one two", ended=False), sent=line.end)
    assert (line.covered, line.next_order) == (0, 0)
    line.hear(turn("one two", start=300), sent=line.end)
    assert (line.covered, line.next_order) == (1000 * MS, 1)
    # Within the pause.
    assert line.resume() == 1100 * MS


def test_with_formatting_only_the_formatted_message_does() -> None:
    line = timeline(loud(3000))
    line.wants_formatted = True
    line.hear(turn("one two", formatted=False), sent=line.end)
    assert line.covered == 0
    line.hear(turn("One two."), sent=line.end)
    assert line.covered == 700 * MS


def test_a_server_that_never_formats_covers_a_turn_by_the_next() -> None:
    line = timeline(loud(3000))
    line.wants_formatted = True
    line.hear(turn("one two", formatted=False), sent=line.end)
    line.hear(turn("three", order=1, start=2000, ended=False, formatted=False), sent=line.end)
    assert (line.covered, line.next_order) == (700 * MS, 1)


def test_after_speech_that_goes_on_the_next_session_begins_at_the_last_word() -> None:
    line = timeline(loud(3000))
    line.hear(turn("one two"), sent=line.end)
    assert line.resume() == 700 * MS


def test_after_a_turn_that_was_ended_by_force_too() -> None:
    line = timeline(loud(700), quiet(1000))
    line.mark("ForceEndpoint", forces=True)
    assert not line.is_cut(turn("one two"))
    assert line.resume() == 0


@pytest.mark.parametrize(("after", "cut"), [(loud(500), True), (quiet(500), False), (b"", True)])
def test_a_turn_is_cut_if_no_pause_follows(after: bytes, cut: bool) -> None:
    line = timeline(loud(700), after)
    assert line.is_cut(turn("one two")) is cut
    assert not line.is_cut(turn("one two", ended=False))


def test_no_more_is_kept_than_may_be_and_nothing_unsent_is_dropped() -> None:
    minute = loud(60_000)
    line = empty()
    for _ in range(2):
        assert not line.is_full(None, line.recording.capacity)
        line.append(minute, sent=None)
    assert line.is_full(None, line.recording.capacity)
    line.append(minute, sent=60_000 * MS)
    assert line.resume() == 60_000 * MS
    assert not line.is_full(len(minute) * 2, line.recording.capacity)
    assert len(line.recording.read(0, line.end)) == REPLAY_SECONDS * 1000 * MS
    line.append(minute, sent=60_000 * MS)
    assert line.resume() == 60_000 * MS


def test_silence_is_what_is_quiet_beside_the_rest() -> None:
    line = timeline(loud(2000), quiet(200))
    end = line.end
    assert line.is_quiet_before(end, 0.2)
    assert not line.is_quiet_before(end, 0.3)
    assert not line.is_quiet_before(end - 200 * MS, 0.06)
    assert timeline(quiet(1000)).is_quiet_before(1000 * MS, 0.5)


def test_everything_that_has_a_time_or_an_order_is_moved() -> None:
    place = LegPlace(ms=1000, order=3)
    moved = turn("one", order=4, start=1000)
    assert place.moved_turn(turn("one", order=1), order=4, floor=0) == moved
    assert place.moved(SpeechStarted(timestamp=5, confidence=1)) == SpeechStarted(
        timestamp=1005, confidence=1
    )
    assert place.moved(Silence(start_ms=1, end_ms=2)) == Silence(start_ms=1001, end_ms=1002)
    revised = SpeakerRevision(revisions=(Revision(turn_order=1, words=turn("one").words),))
    assert place.moved(revised) == SpeakerRevision(
        revisions=(Revision(turn_order=4, words=moved.words),)
    )
    answer = LLMGatewayResponse(turn_order=1, transcript="one", data={})
    assert place.moved(answer) == replace(answer, turn_order=4)
    beat = Heartbeat(total_audio_received_ms=1, total_duration_ms=1, realtime_factor=1)
    assert place.moved(beat) is beat
