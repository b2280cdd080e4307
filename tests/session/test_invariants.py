"""What holds for every session, whatever happens to it in whatever order."""

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import OPTIONS
from turnwire.recognition import Finished, Marked, Partial, Pause, SpeechEvent, SpeechStarted, Word
from turnwire.session.effects import (
    Admit,
    Close,
    Cut,
    Decode,
    Effect,
    Finish,
    Listen,
    Mark,
    MeasureVoice,
    Recognize,
    Send,
)
from turnwire.session.events import (
    Abort,
    Admitted,
    AudioReceived,
    Connected,
    Decoded,
    Disconnected,
    DrainRequested,
    Event,
    Heard,
    TextReceived,
    Tick,
    Undecodable,
    VoiceMeasured,
)
from turnwire.session.session import EVENTS, Session
from turnwire.wire import messages
from turnwire.wire.closure import Kind
from turnwire.wire.closures import CLOSURES, SERVER_ERROR, SESSION_ENDED, UNAUTHORIZED
from turnwire.wire.messages import Begin, Error, Termination, Turn

MESSAGES = st.sampled_from(
    [
        '{"type":"Terminate"}',
        '{"type":"ForceEndpoint"}',
        '{"type":"KeepAlive"}',
        '{"type":"UpdateConfiguration","format_turns":true,"min_turn_silence":100}',
        '{"type":"UpdateConfiguration","vad_threshold":0.1,"max_turn_silence":50}',
        '{"type":"UpdateConfiguration","mode":"max_accuracy","interruption_delay":0}',
        '{"type":"UpdateConfiguration","session_heartbeat":true,"acknowledge_silence":true}',
        '{"type":"UpdateConfiguration","session_heartbeat":false,"acknowledge_silence":false}',
        '{"type":"Bogus"}',
        "[]",
        "{",
    ]
)

WORDS = st.lists(st.sampled_from(["Yes,", "no.", "it's", "—"]), max_size=4).map(
    lambda texts: tuple(Word(text, 10 * n, 10 * n + 9, 0.5) for n, text in enumerate(texts))
)


class AnySession(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.session = Session("id", "echo", OPTIONS)
        self.now = 0.0
        self.effects: list[Effect] = []

    @property
    def sent(self) -> list[Any]:
        return [effect.message for effect in self.effects if isinstance(effect, Send)]

    @property
    def over(self) -> bool:
        return any(isinstance(effect, Close) for effect in self.effects)

    def happen(self, event: Event) -> None:
        was_over = self.over
        before = self.session.state
        effects = self.session.receive(event, self.now)
        assert not (was_over and effects)
        transition = EVENTS[before].get(type(event))
        assert transition is not None or not effects
        assert self.session.state in (before, *(transition.to if transition else ()))
        self.effects += effects

    @initialize(
        query=st.lists(
            st.sampled_from(
                [
                    ("format_turns", "true"),
                    ("inactivity_timeout", "5"),
                    ("encoding", "pcm_mulaw"),
                    ("encoding", "opus"),
                    ("speech_model", "u3-rt-pro"),
                    ("include_partial_turns", "false"),
                    ("mode", "min_latency"),
                    ("filter_profanity", "true"),
                    ("session_heartbeat", "true"),
                    ("acknowledge_silence", "true"),
                    ("session_warnings", "true"),
                    ("recording", "true"),
                    ("sample_rate", "1"),
                ]
            )
        ),
        admitted=st.integers(0, 9),
    )
    def open(self, query: list[tuple[str, str]], admitted: int) -> None:
        self.happen(Connected(query))
        if not admitted:
            self.happen(Abort(UNAUTHORIZED.fill(reason="x")))
        elif any(isinstance(effect, Admit) for effect in self.effects):
            self.happen(Admitted(60, 0))

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        deadline = self.session.deadline()
        if deadline is not None and deadline <= self.now:
            self.happen(Tick())
            if MeasureVoice() in self.effects:
                self.happen(VoiceMeasured(0.5))

    @rule(size=st.integers(0, 20_000) | st.just(200_000))
    def send_audio(self, size: int) -> None:
        self.happen(AudioReceived(bytes(size)))

    @precondition(lambda self: any(isinstance(effect, Decode) for effect in self.effects))
    @rule(size=st.integers(1, 32_000))
    def decode(self, size: int) -> None:
        self.happen(Decoded(np.zeros(size, np.int16)))

    @precondition(lambda self: any(isinstance(effect, Decode) for effect in self.effects))
    @rule()
    def fail_to_decode(self) -> None:
        self.happen(Undecodable("it is something else"))

    @rule(seconds=st.floats(0, 400))
    def hear_some(self, seconds: float) -> None:
        self.happen(Heard(seconds))

    @rule(text=MESSAGES)
    def send_text(self, text: str) -> None:
        self.happen(TextReceived(text))

    @precondition(lambda self: any(isinstance(effect, Listen) for effect in self.effects))
    @rule(data=st.data(), words=WORDS)
    def hear(self, data: st.DataObject, words: tuple[Word, ...]) -> None:
        heard: list[SpeechEvent] = [
            SpeechStarted(0, 0.5),
            Partial(words, data.draw(st.integers(0, len(words)))),
            Pause(words, 0, data.draw(st.integers(0, 3000)), 0.5),
        ]
        if Mark() in self.effects:
            heard.append(Marked(words, 0, 0.5))
        if Finish() in self.effects:
            heard.append(Finished(words, 0, 0.5))
        self.happen(data.draw(st.sampled_from(heard)))

    @rule(event=st.sampled_from([Disconnected(), Abort, DrainRequested]))
    def end(self, event: Any) -> None:
        happening = event if isinstance(event, Disconnected) else event(SERVER_ERROR.fill())
        self.happen(happening)

    @invariant()
    def one_close_at_most_and_it_is_last(self) -> None:
        closes = [effect for effect in self.effects if isinstance(effect, Close)]
        assert len(closes) <= 1
        assert not closes or self.effects[-1] is closes[0]
        assert all(close.closure.row in CLOSURES for close in closes)

    @invariant()
    def begin_comes_first_and_once(self) -> None:
        begins = [index for index, message in enumerate(self.sent) if isinstance(message, Begin)]
        assert begins in ([], [0])
        if not begins:
            assert all(isinstance(message, Error) for message in self.sent)

    @invariant()
    def an_error_says_the_same_as_the_close_and_comes_right_before(self) -> None:
        errors = [message for message in self.sent if isinstance(message, Error)]
        if not self.over:
            assert errors == []
            return
        close = self.effects[-1]
        assert isinstance(close, Close)
        if close.closure.row.kind is Kind.NORMAL:
            assert errors == []
        else:
            assert errors == [Error.of(close.closure)]
            assert self.sent[-1] is errors[0]

    @invariant()
    def termination_comes_last_and_only_if_the_client_ended_it(self) -> None:
        figures = [message for message in self.sent if isinstance(message, Termination)]
        close = self.effects[-1] if self.over else None
        ended = isinstance(close, Close) and close.closure.row is SESSION_ENDED
        assert len(figures) == ended
        assert not ended or self.sent[-1] is figures[0]

    @invariant()
    def a_turn_is_over_once_and_turns_come_in_order(self) -> None:
        turns = [message for message in self.sent if isinstance(message, Turn)]
        orders = [turn.turn_order for turn in turns]
        assert orders == sorted(orders)
        for order in set(orders):
            ends = [turn.end_of_turn for turn in turns if turn.turn_order == order]
            assert ends == sorted(ends)
            assert sum(ends) <= 2

    @invariant()
    def a_universal_3_turn_is_announced_once_and_ends_once(self) -> None:
        if not any(isinstance(message, messages.SpeechStarted) for message in self.sent):
            return
        seen: set[int] = set()
        over: set[int] = set()
        for before, message in pairwise(self.sent):
            assert not isinstance(before, messages.SpeechStarted) or isinstance(message, Turn)
            if not isinstance(message, Turn):
                continue
            announced = isinstance(before, messages.SpeechStarted)
            assert announced == (message.turn_order not in seen)
            assert message.turn_order not in over
            seen.add(message.turn_order)
            assert message.transcript == " ".join(word.text for word in message.words) != ""
            assert message.utterance == (message.transcript if message.end_of_turn else "")
            assert all(word.word_is_final == message.end_of_turn for word in message.words)
            if message.end_of_turn:
                over.add(message.turn_order)

    @invariant()
    def an_open_session_waits_for_something_and_a_closed_one_for_nothing(self) -> None:
        assert (self.session.deadline() is None) == (self.over or not self.sent)

    @invariant()
    def compressed_audio_counts_once_it_is_decoded(self) -> None:
        heard = [effect for effect in self.effects if isinstance(effect, Recognize)]
        decoding = any(isinstance(effect, Decode) for effect in self.effects)
        if decoding and not self.over:
            assert self.session.audio_ms == round(sum(len(e.samples) for e in heard) / 16)

    @invariant()
    def the_engine_is_told_nothing_before_it_listens_or_after_the_end(self) -> None:
        told = [
            effect
            for effect in self.effects
            if isinstance(effect, Listen | Decode | Recognize | Mark | Finish | Cut)
        ]
        assert not told or isinstance(told[0], Listen)
        audio_end = told.index(Finish()) if Finish() in told else len(told)
        assert not any(isinstance(effect, Decode | Recognize | Mark) for effect in told[audio_end:])


AnySession.TestCase.settings = settings(max_examples=300, stateful_step_count=40)
TestAnySession = AnySession.TestCase
