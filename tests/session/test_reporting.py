"""What a session tells beside turns, to clients that asked: warnings, heartbeats, silence."""

from tests.session.opened import FRAME, HOURS_3, WARNED, WORDS, opened, sent, text, warnings
from turnwire.recognition import Marked, Pause
from turnwire.session.effects import Finish, MeasureVoice
from turnwire.session.events import AudioReceived, Tick, VoiceMeasured
from turnwire.session.session import Session
from turnwire.wire.messages import Heartbeat, Silence


def test_expiry_is_announced_a_minute_ahead() -> None:
    session = opened(WARNED)
    assert session.deadline() == 100 + HOURS_3 - 60
    effects = session.receive(Tick(), 100 + HOURS_3 - 60)
    assert warnings(effects) == [(3008, "The session expires in 60 seconds")]
    assert session.receive(Tick(), 100 + HOURS_3) == [Finish()]


def test_a_session_shorter_than_the_notice_is_told_at_once() -> None:
    session = opened(WARNED, max_seconds=60)
    effects = session.receive(Tick(), 100)
    assert warnings(effects) == [(3008, "The session expires in 60 seconds")]


def test_inactivity_is_announced_at_half_time_each_time_anew() -> None:
    session = opened(WARNED, ("inactivity_timeout", "10"))
    text_of_warning = "No messages received for 5 seconds; the session ends after 10"
    assert warnings(session.receive(Tick(), 105)) == [(3006, text_of_warning)]
    session.receive(text(type="KeepAlive"), 106)
    assert warnings(session.receive(Tick(), 111)) == [(3006, text_of_warning)]
    assert session.receive(Tick(), 116) == [Finish()]


def test_a_short_chunk_that_is_let_pass_is_told() -> None:
    effects = opened(WARNED).receive(AudioReceived(FRAME[:640]), 101)
    assert warnings(effects) == [
        (3007, "Input duration of 20.0 ms was let pass. Expected between 50 and 1000 ms")
    ]


def test_who_did_not_ask_is_not_warned() -> None:
    session = opened(("inactivity_timeout", "10"))
    assert session.receive(Tick(), 105) == []
    assert sent(session.receive(AudioReceived(FRAME[:640]), 106)) == []


HEARTBEAT = ("session_heartbeat", "true")


def beat(session: Session, now: float, probability: float = 0.5) -> Heartbeat:
    assert session.receive(Tick(), now) == [MeasureVoice()]
    [message] = sent(session.receive(VoiceMeasured(probability), now))
    assert isinstance(message, Heartbeat)
    return message


def test_a_heartbeat_comes_every_five_seconds_and_tells_the_last_five() -> None:
    session = opened(HEARTBEAT)
    assert session.deadline() == 105
    for _ in range(98):
        session.receive(AudioReceived(FRAME), 101)
    assert beat(session, 105, 0.1234567) == Heartbeat(
        total_audio_received_ms=4900,
        total_duration_ms=5000,
        realtime_factor=0.98,
        max_speech_probability=0.123457,
    )
    assert session.deadline() == 110
    for _ in range(200):
        session.receive(AudioReceived(FRAME), 106)
    late = beat(session, 112.5)
    assert (late.total_audio_received_ms, late.total_duration_ms) == (14_900, 12_500)
    assert late.realtime_factor == 1.3333


def test_heartbeats_begin_and_end_on_demand() -> None:
    session = opened()
    assert session.receive(text(type="UpdateConfiguration", session_heartbeat=True), 200) == []
    session.receive(text(type="UpdateConfiguration", session_heartbeat=True), 203)
    session.receive(AudioReceived(FRAME), 204)
    assert beat(session, 205).realtime_factor == 0.01
    session.receive(text(type="UpdateConfiguration", session_heartbeat=False), 206)
    assert session.receive(Tick(), 210) == []


def test_silence_is_told_about_once_a_second_to_who_asked() -> None:
    session = opened(("acknowledge_silence", "true"))

    def silences(since: int, until: int) -> list[object]:
        return sent(session.receive(Pause((), since, until, 0.0), 101))

    assert silences(0, 999) == []
    assert silences(0, 1024) == [Silence(start_ms=0, end_ms=1024)]
    assert silences(0, 2000) == []
    assert silences(0, 2048) == [Silence(start_ms=1024, end_ms=2048)]
    assert silences(5000, 6000) == [Silence(start_ms=5000, end_ms=6000)]
    session.receive(text(type="UpdateConfiguration", acknowledge_silence=False), 101)
    assert silences(5000, 9000) == []


def test_a_forced_endpoint_without_speech_is_answered_by_the_silence_before_it() -> None:
    session = opened(("acknowledge_silence", "true"))

    def silences(*events: Pause | Marked) -> list[object]:
        effects = [effect for event in events for effect in session.receive(event, 101)]
        return [message for message in sent(effects) if isinstance(message, Silence)]

    assert silences(Marked((), 400, 0.0)) == [Silence(start_ms=0, end_ms=400)]
    assert silences(Marked((), 400, 0.0)) == [Silence(start_ms=400, end_ms=400)]
    assert silences(Pause((), 0, 1500, 0.0)) == [Silence(start_ms=400, end_ms=1500)]
    assert silences(Marked((), 1600, 0.0)) == [Silence(start_ms=1500, end_ms=1600)]
    assert silences(Marked(WORDS, 2500, 0.0)) == []
    assert silences(Marked((), 2700, 0.0)) == [Silence(start_ms=2500, end_ms=2700)]
    session.receive(text(type="UpdateConfiguration", acknowledge_silence=False), 101)
    assert silences(Marked((), 3000, 0.0)) == []
