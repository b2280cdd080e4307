"""How much a live transcript loses against an offline one, and how long its turns take.

    python -m benchmarks.accuracy FOLDER [--model tiny.en] [--sessions 4] [--each]

Streams every clip of a folder in real time to a server in a process of its own, and prints word
error rates beside those of offline faster-whisper with the same weights. The folder has a
`manifest.jsonl` with an object a line: `file`, `reference`, and `ref_kind`; clips whose reference
is `unknown` or `approx` count for times, not for words.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

from faster_whisper import WhisperModel

from benchmarks.scoring import word_errors
from turnwire.client import AudioFile, cut, paced
from turnwire.client.session import connect
from turnwire.hearing import plain
from turnwire.server.running import running
from turnwire.speech.models import find_model
from turnwire.wire.messages import Turn

UNSCORED = {"unknown", "approx"}


@dataclass
class Clip:
    path: Path
    reference: str | None
    """What is said; None if nobody knows for certain."""
    offline: str = ""
    streamed: str = ""
    seconds: float = 0.0
    lags: list[float] = field(default_factory=list)
    """For each turn, seconds from when its last word had been sent to when its end arrived."""
    ending: float = 0.0
    """Seconds from Terminate to the close."""
    final_words: int = 0
    changed: int = 0
    """How many final words were not the same in a later message."""


def clips_in(folder: Path) -> list[Clip]:
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return [
        Clip(
            folder / row["file"],
            None if row["ref_kind"] in UNSCORED else row["reference"],
        )
        for row in rows
    ]


def transcribe_offline(clips: Iterable[Clip], model: str) -> None:
    whisper = WhisperModel(str(find_model(model)), device="cpu", compute_type="int8")
    for clip in clips:
        segments, _ = whisper.transcribe(str(clip.path), language="en")
        clip.offline = " ".join(segment.text.strip() for segment in segments)


async def stream(clip: Clip, url: str, api_key: str) -> None:
    with AudioFile(clip.path) as audio:
        rate = audio.sample_rate
        turns: list[Turn] = []
        async with connect(url, api_key=api_key, sample_rate=rate, format_turns=True) as session:
            began = time.monotonic()

            async def send() -> float:
                sent = 0
                async for chunk in paced(cut(audio, sample_rate=rate), sample_rate=rate):
                    await session.send(chunk)
                    sent += len(chunk)
                await session.terminate()
                clip.seconds = sent / 2 / rate
                return time.monotonic()

            sending = asyncio.create_task(send())
            async for message in session:
                if isinstance(message, Turn):
                    turns.append(message)
                    if message.end_of_turn and message.turn_is_formatted and not sending.done():
                        spoken = began + message.words[-1].end / 1000
                        clip.lags.append(time.monotonic() - spoken)
            clip.ending = time.monotonic() - await sending
    clip.streamed = " ".join(
        turn.transcript for turn in turns if turn.end_of_turn and turn.turn_is_formatted
    )
    for before, after in pairwise(turns):
        if before.turn_order == after.turn_order:
            count_changes(clip, before, after)


def count_changes(clip: Clip, before: Turn, after: Turn) -> None:
    """How the final words of one message fare in the next about the same turn."""
    final = [plain(word.text) for word in before.words if word.word_is_final]
    later = [plain(word.text) for word in after.words]
    clip.final_words += len(final)
    clip.changed += sum(
        index >= len(later) or later[index] != word for index, word in enumerate(final)
    )


async def stream_all(clips: Iterable[Clip], url: str, api_key: str, sessions: int) -> None:
    gate = asyncio.Semaphore(sessions)

    async def one(clip: Clip) -> None:
        async with gate:
            await stream(clip, url, api_key)

    async with asyncio.TaskGroup() as group:
        for clip in clips:
            group.create_task(one(clip))


def serve(model: str, ready: Connection) -> None:
    """The server's process: says where it is, and ends with the seconds of CPU it used."""

    async def run() -> None:
        async with running(model) as server:
            loaded = time.process_time()
            ready.send((server.url, server.api_key))
            await asyncio.to_thread(ready.recv)
            ready.send(time.process_time() - loaded)

    asyncio.run(run())


@contextlib.contextmanager
def server_process(model: str) -> Iterator[Connection]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(model, there))
    process.start()
    try:
        yield here
    finally:
        process.join(timeout=10)
        process.kill()


def rate_of(clips: Iterable[Clip], heard: str) -> str:
    pairs = [word_errors(clip.reference, getattr(clip, heard)) for clip in clips if clip.reference]
    errors, words = (sum(column) for column in zip(*pairs, strict=True))
    return f"{100 * errors / words:5.2f} %  ({errors} of {words} words)"


def spread(seconds: list[float]) -> str:
    p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    return f"p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--sessions", type=int, default=4, help="how many clips at once")
    parser.add_argument("--each", action="store_true", help="show what differs, clip by clip")
    options = parser.parse_args()

    clips = clips_in(options.folder)
    transcribe_offline(clips, options.model)
    with server_process(options.model) as server:
        url, api_key = server.recv()
        asyncio.run(stream_all(clips, url, api_key, options.sessions))
        server.send("stop")
        cpu = server.recv()

    if options.each:
        for clip in clips:
            if clip.reference and word_errors(clip.reference, clip.streamed)[0]:
                print(f"{clip.path.name}\n  said     {clip.reference}")
                print(f"  offline  {clip.offline}\n  streamed {clip.streamed}")
    seconds = sum(clip.seconds for clip in clips)
    lags = [lag for clip in clips for lag in clip.lags]
    print(
        f"{len(clips)} clips, {seconds:.0f} s of audio, {options.sessions} sessions at once, "
        f"{os.cpu_count()} cores, {options.model}"
    )
    print(f"word error rate, streamed  {rate_of(clips, 'streamed')}")
    print(f"word error rate, offline   {rate_of(clips, 'offline')}")
    print(f"last word to end of turn   {spread(lags)}  ({len(lags)} turns; silence included)")
    print(f"Terminate to close         {spread([clip.ending for clip in clips])}")
    changed, final = (
        sum(getattr(clip, name) for clip in clips) for name in ("changed", "final_words")
    )
    print(f"final words that changed   {changed} of {final}")
    print(f"server CPU                 {1000 * cpu / seconds:.0f} ms per second of audio")


if __name__ == "__main__":
    main()
