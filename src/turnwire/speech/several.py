"""Two models behind one engine: one for most sessions, one for other languages than English."""

import logging
from collections.abc import Hashable, Sequence
from dataclasses import replace

from turnwire.speech.decoding import Job, Text
from turnwire.speech.whisper import Whisper

logger = logging.getLogger(__name__)


class TwoModels:
    """Has each job decoded by the model that its session asked for. Thread-safe."""

    def __init__(self, usual: Whisper, multilingual: Whisper) -> None:
        self._usual = usual
        self._multilingual = multilingual
        self._failed = False

    def shape(self, job: Job) -> Hashable:
        model = self._of(job)
        return model is self._usual, model.shape(job)

    def decode(self, jobs: Sequence[Job]) -> list[Text | Job]:
        model = self._of(jobs[0])
        texts = model.decode(jobs)
        if model is self._multilingual:
            return texts
        return [self._watched(job, text) for job, text in zip(jobs, texts, strict=True)]

    def _watched(self, job: Job, text: Text | Job) -> Text | Job:
        """The text, and what the other model knows of its language, if that is wanted.

        Where there are no words there may be music, which has no language, though a model names
        one. What the other model cannot tell costs a Warning at most, and never the words.
        """
        if isinstance(text, Job) or not text.words or not job.watches_language:
            return text
        try:
            return replace(text, heard=self._multilingual.listen_for_language(job))
        except Exception:
            if not self._failed:
                self._failed = True
                logger.exception("The second model cannot tell what language is spoken.")
            return text

    def _of(self, job: Job) -> Whisper:
        asked = job.options is not None and job.options.multilingual
        return self._multilingual if asked else self._usual
