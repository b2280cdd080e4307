"""A server to measure, and what all measurements have in common."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import typer
from rich.console import Console

from turnwire.cli.conversation import INTERRUPTED
from turnwire.cli.demo import recording
from turnwire.cli.failures import fail, needs_server

if TYPE_CHECKING:
    from turnwire.bench.clips import Clip
    from turnwire.bench.measuring import Judged
    from turnwire.bench.serving import BenchServer
    from turnwire.bench.words import Difference, Words


class Figures(Protocol):
    """What was measured, with room for word error rates."""

    def with_words(self, words: "Words | None") -> Self: ...


T = TypeVar("T")
F = TypeVar("F", bound=Figures)

EXTRAS = "bench,tiny-en"

ECHO = "echo"


@contextmanager
def measuring() -> Iterator[None]:
    """Around what needs the extra, and what cannot be measured."""
    with needs_server(EXTRAS):
        from turnwire.bench import BenchError
        from turnwire.server.http import allow_open_files

        allow_open_files()
        try:
            yield
        except BenchError as error:
            fail(str(error))
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def clips_in(clips: Path | None) -> "list[Clip]":
    from turnwire.bench.clips import read_clip, read_clips

    return [read_clip(recording())] if clips is None else read_clips(clips)


def with_server(
    model: str, measure: "Callable[[BenchServer], Coroutine[Any, Any, T]]", what: str
) -> T:
    """What is measured with a server that runs this model."""
    import uvloop

    from turnwire.bench.serving import serving

    async def run() -> T:
        # Shows on a terminal only.
        with Console(stderr=True).status(f"Loading the model {model}") as status:
            async with serving(model) as server:
                status.update(f"Playing to {what}")
                return await measure(server)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def with_speech(
    clips: Path | None,
    model: str,
    measure: "Callable[[BenchServer, list[Clip]], Coroutine[Any, Any, T]]",
    what: str,
) -> T:
    """What is measured by playing these recordings to a server that has heard some already."""
    from turnwire.bench.speech import warm_up

    played = clips_in(clips)

    async def warm(server: "BenchServer") -> T:
        await warm_up(server, played)
        return await measure(server, played)

    return with_server(model, warm, what)


def scored(model: str, figures: F, judged: "Sequence[Judged]") -> "tuple[F, list[Difference]]":
    """With word error rates, if it is known what was said and the model listens."""
    from turnwire.bench.words import score

    if model == ECHO:
        return figures, []
    with Console(stderr=True).status("Transcribing the same offline"):
        words, differences = score(judged, model)
    return figures.with_words(words), differences


def measured(
    clips: Path | None,
    model: str,
    measure: "Callable[[BenchServer, list[Clip]], Coroutine[Any, Any, tuple[F, list[Judged]]]]",
    what: str,
) -> F:
    """The same, with word error rates."""
    figures, _ = scored(model, *with_speech(clips, model, measure, what))
    return figures
