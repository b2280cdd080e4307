"""Whisper on the CPU, by CTranslate2: from a window of audio to words with times.

Whisper was trained on windows of 30 s, and encoding one takes a third of a second. It accepts
shorter ones at a fraction of the cost, but with little silence after the speech it may not find
the end and repeat itself. So a final text is decoded from a window of at least 10 s, and once
more from a longer one if it looks bad or may be no speech.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer

from turnwire.recognition import ENGLISH, Language
from turnwire.speech.decoding import MS, NOTHING, RATE, DecodedWord, Job, JobKind, Text
from turnwire.speech.devices import CPU, Device
from turnwire.speech.engine import EngineError
from turnwire.speech.filters import (
    DecodeAttempt,
    is_doubtful,
    looks_bad,
    may_say_nothing,
    says_nothing,
    spoken,
    without_loops,
)
from turnwire.speech.hinting import hint
from turnwire.speech.languages import LanguageEvidence
from turnwire.speech.models import ModelFiles
from turnwire.speech.quality import FULL
from turnwire.speech.splitting import split, tokens_a_second
from turnwire.writing import SENTENCE_ENDS, full_stop, is_sign

T = TypeVar("T")

_FULL_S = 30.0
_LEAST_THOROUGH_S = 29.0
_LEAST_FINAL_S = 10.0
_LEAST_PARTIAL_S = 2.0
_SAME_LENGTH_S = 2
"""Windows that differ by less are made equally long, to be decoded together."""

_TAIL_S = 1.0
"""Silence added after the audio, for the decoder to find the end in."""

_LEAD_MS = 200
"""Silence put before the audio, without which the first word may get lost."""

_ALIGNED_TAIL_MS = 200
"""How far after the audio a word may be placed: one that is there was not spoken."""

_TOKENS_AT_LEAST = 5
_MOST_TOKENS = 224
"""Decoder positions end at 448, half of which CTranslate2 keeps for the prompt."""

_COMMON_TOKENS = 24
"""Tokens of a final text, more or less."""

_MEL_FRAME_MS = 10
_FRAME_MS = 20
"""The encoder makes one position of two mel frames."""

_STAND_INS = {"yue": "zh"}
"""What is written of a language that not all models know, if this one does not."""

_SURE = 0.99

_TRUST = 2.5
"""Trained on finished sentences, the decoder expects an end too readily; this power of its
probability is below one half amid most sentences, and above at most ends."""


class Whisper:
    """A loaded Whisper model. Thread-safe: it keeps nothing between two decodes."""

    def __init__(self, files: ModelFiles, threads: int, device: Device = CPU) -> None:
        """Load a model, for `threads` decodes at a time. Raises `EngineError`."""
        folder, in_memory = files.folder, files.in_memory()
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder),
                device=device.name,
                compute_type=device.compute_type,
                inter_threads=threads,
                intra_threads=1,
                files=in_memory,
            )
            self._vocabulary = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # both libraries raise bare exceptions
            raise EngineError(
                f"The model in {folder} cannot be loaded: {str(error).rstrip('.')}."
            ) from error
        self._languages = self._vocabulary.get_vocab().keys()
        self._tokenizer = self._tokenizer_for("en")
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._sentence_ends = {mark: self._tokenizer.encode(mark) for mark in SENTENCE_ENDS}

    @property
    def is_multilingual(self) -> bool:
        return bool(self._model.is_multilingual)

    def _tokenizer_for(self, language: str) -> Tokenizer:
        multilingual = self.is_multilingual
        task = "transcribe" if multilingual else None
        return Tokenizer(self._vocabulary, multilingual, task, language if multilingual else None)

    def shape(self, job: Job) -> tuple[int, int]:
        """About how long its window is, and how many tokens precede it."""
        return math.ceil(self._seconds(job) / _SAME_LENGTH_S), len(self._context(job))

    def decode(self, jobs: Sequence[Job]) -> list[Text | Job]:
        """The words in each job's window; a final text that looks bad, or may be no speech, is
        decoded again, longer."""
        return [
            self._judge(job, attempt, encoded)
            for job, (attempt, encoded) in zip(jobs, self._attempt(jobs), strict=True)
        ]

    def listen_for_language(self, job: Job) -> LanguageEvidence:
        """What is known of the language with a window that another model writes."""
        return self._evidence(self._encode(job, self._seconds(job)), job)

    def make_final(self) -> None:
        """Make a final text of common length, to find out what that takes."""
        job = Job(np.zeros(4 * RATE, np.int16), (), JobKind.FINAL, voice_end=4 * RATE)
        self._model.generate(
            self._encode(job, self._seconds(job)),
            [self._start(ENGLISH)],
            beam_size=FULL.beam,
            max_length=2 * _COMMON_TOKENS,
            # It must not find that nothing is said.
            suppress_tokens=[-1, self._tokenizer.eot],
        )

    def _judge(
        self, job: Job, attempt: DecodeAttempt, encoded: ctranslate2.StorageView
    ) -> Text | Job:
        # Asked of the first attempt: a thorough one, too, makes up words, and is surer of them.
        if says_nothing(attempt):
            return replace(NOTHING, doubted=True)
        text = self._text(attempt, encoded, job.voice_end // MS)
        doubted = may_say_nothing(attempt)
        if job.kind is JobKind.PARTIAL:
            return replace(text, doubted=doubted)
        doubtful = is_doubtful(attempt, text.words)
        bad = doubtful or looks_bad(attempt, text.words)
        if (bad or doubted) and job.quality.second_attempts and not job.thorough:
            return replace(job, thorough=True)
        if doubtful and job.thorough:
            return NOTHING
        if not bad:
            return text
        words = (replace(word, trusted=False) for word in without_loops(text.words))
        return replace(text, words=tuple(words))

    @staticmethod
    def _seconds(job: Job) -> float:
        """How long its window is at least, with the silence around it."""
        # Whole seconds, as each length that is new costs the libraries below some milliseconds.
        seconds = math.ceil(_LEAD_MS / 1000 + len(job.window) / RATE)
        if job.kind is JobKind.PARTIAL:
            least = _LEAST_PARTIAL_S
        else:
            least = _LEAST_THOROUGH_S if job.thorough else _LEAST_FINAL_S
        return min(max(seconds, least) + _TAIL_S, _FULL_S)

    def _context(self, job: Job) -> tuple[int, ...]:
        if job.thorough:
            # A context that misleads is among what may have gone wrong.
            return ()
        hinted = hint(job.options, self._tokenizer.encode) if job.options else ()
        said = job.context[max(len(job.context) - job.quality.context_tokens, 0) :]
        context = (*hinted, *said)
        return (self._tokenizer.sot_prev, *context) if context else ()

    def _attempt(self, jobs: Sequence[Job]) -> list[tuple[DecodeAttempt, ctranslate2.StorageView]]:
        """What the decoder makes of windows of one shape, and those encoded."""
        seconds = max(self._seconds(job) for job in jobs)
        encoded = [self._encode(job, seconds) for job in jobs]
        languages = [self._language(each, job) for each, job in zip(encoded, jobs, strict=True)]
        limits = [
            _most_tokens(job, language) for job, (language, _) in zip(jobs, languages, strict=True)
        ]
        # As long as each other, being of windows of one shape.
        beginnings = [
            [*self._context(job), *self._start(language)]
            for job, (language, _) in zip(jobs, languages, strict=True)
        ]
        final = jobs[0].kind is JobKind.FINAL
        results = self._model.generate(
            _stacked(encoded),
            [[*beginning, *job.prefix] for job, beginning in zip(jobs, beginnings, strict=True)],
            beam_size=max(job.quality.beam for job in jobs) if final else 1,
            # CTranslate2 keeps room for a prompt: half of it, or what the prompt takes.
            max_length=max(limits) + max(len(beginnings[0]), *limits),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            (
                DecodeAttempt(
                    tokens=[token for token in tokens if token < self._tokenizer.eot][:limit],
                    logprob=result.scores[0],
                    no_speech=result.no_speech_prob,
                    capped=len(tokens) >= limit,
                    language=language,
                    heard=heard,
                ),
                window,
            )
            for result, window, (language, heard), limit in zip(
                results, encoded, languages, limits, strict=True
            )
            for tokens in result.sequences_ids
        ]

    def _encode(self, job: Job, seconds: float) -> ctranslate2.StorageView:
        audio = np.zeros(int(seconds * RATE), np.float32)
        lead = _LEAD_MS * MS
        audio[lead : lead + len(job.window)] = job.window / np.float32(32768)
        mel = self._features(audio, padding=0)
        return self._model.encode(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None], np.float32))
        )

    def _start(self, language: Language) -> list[int]:
        tokenizer = self._tokenizer_for(language.code)
        return [*tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _language(
        self, encoded: ctranslate2.StorageView, job: Job
    ) -> tuple[Language, LanguageEvidence | None]:
        """The language to write a window in, and what is known with it, if that was asked."""
        if not self.is_multilingual:
            return ENGLISH, None
        asked = job.options.languages if job.options else ()
        allowed = [code if self._knows(code) else _STAND_INS.get(code, code) for code in asked]
        if len(allowed) == 1 and self._knows(allowed[0]):
            watched = self._evidence(encoded, job) if job.watches_language else None
            return Language(allowed[0], 1.0), watched
        # One language is spoken until a sentence ends, so while it is spoken this rests.
        if job.kind is JobKind.FINAL or not job.heard.is_certain(allowed):
            heard = self._evidence(encoded, job)
        else:
            heard = job.heard
        return heard.verdict(allowed) or ENGLISH, heard

    def _knows(self, language: str) -> bool:
        return f"<|{language}|>" in self._languages

    def _evidence(self, encoded: ctranslate2.StorageView, job: Job) -> LanguageEvidence:
        (ranked,) = self._model.detect_language(encoded)
        probabilities = [(token.strip("<|>"), probability) for token, probability in ranked]
        return job.heard.with_window(probabilities, job.voice_end / RATE)

    def _text(
        self, attempt: DecodeAttempt, encoded: ctranslate2.StorageView, voice_ms: int
    ) -> Text:
        """The attempt's tokens as words with times, without those that were not spoken."""
        if not attempt.tokens:
            return NOTHING
        tokenizer = self._tokenizer_for(attempt.language.code)
        frames = (_LEAD_MS + voice_ms + _ALIGNED_TAIL_MS) // _MEL_FRAME_MS
        ended = self._ending_a_sentence(attempt.tokens)
        (alignment,) = self._model.align(encoded, tokenizer.sot_sequence, [ended], frames)
        count = len(attempt.tokens)
        starts = _as_many(_token_starts(alignment.alignments), count + 1)
        probabilities = _as_many(alignment.text_token_probs, count)
        words: list[DecodedWord] = []
        at = 0
        for word in split(attempt.tokens, tokenizer):
            after = at + len(word.tokens)
            start = max(starts[at] - _LEAD_MS, 0)
            end = max(min(starts[after] - _LEAD_MS, voice_ms), start)
            confidence = float(np.mean(probabilities[at:after]))
            words.append(
                DecodedWord(
                    word.text, start, end, confidence, tuple(word.tokens), joined=word.joined
                )
            )
            at = after
        kept = tuple(spoken(words, voice_ms))
        if not kept:
            return NOTHING
        # How many of the tokens come before the end of the last word.
        at = sum(len(word.tokens) for word in words[: words.index(kept[-1]) + 1])
        end = len(ended) if at == count else at
        mark = self._mark_length(ended[:end])
        completeness = math.prod(probabilities[end - mark : end]) if mark else 0.0
        return Text(kept, min(completeness**_TRUST, _SURE), attempt.language, attempt.heard)

    def _ending_a_sentence(self, tokens: list[int]) -> list[int]:
        """`tokens` as if a sentence ended with them, to learn how probable that is."""
        if self._mark_length(tokens):
            return tokens
        pieces, groups = self._tokenizer.split_tokens_on_unicode(tokens)
        if groups and is_sign(pieces[-1]):
            tokens = tokens[: -len(groups.pop())]
            pieces.pop()
            if self._mark_length(tokens):
                return tokens  # The sign closes a quotation.
        return [*tokens, *self._sentence_ends[full_stop(pieces[-1] if pieces else "")]]

    def _mark_length(self, tokens: list[int]) -> int:
        """How many tokens at the end are one mark that ends a sentence."""
        marks = (mark for mark in self._sentence_ends.values() if tokens[-len(mark) :] == mark)
        return len(next(marks, ()))


def _most_tokens(job: Job, language: Language) -> int:
    """How many tokens a window may say, those of its prefix included."""
    spoken = int(len(job.window) / RATE * tokens_a_second(language.code)) + _TOKENS_AT_LEAST
    return min(len(job.prefix) + spoken, _MOST_TOKENS)


def _stacked(encoded: list[ctranslate2.StorageView]) -> ctranslate2.StorageView:
    if len(encoded) == 1:
        return encoded[0]
    return ctranslate2.StorageView.from_array(np.concatenate([np.array(each) for each in encoded]))


def _as_many(values: Sequence[T], count: int) -> list[T]:
    """The values, the last of them repeated where they are fewer than `count`: a sign at the end
    may take more tokens than the mark that was put in its place."""
    return [*values, *[values[-1]] * (count - len(values))]


def _token_starts(alignment: list[tuple[int, int]]) -> list[int]:
    """When each token, and the end after the last, begins: ms from the start of the window."""
    starts: list[int] = []
    for token, frame in alignment:
        if token == len(starts):
            starts.append(frame * _FRAME_MS)
    return starts
