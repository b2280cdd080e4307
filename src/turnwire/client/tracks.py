"""The audio tracks of a file, and which one is read."""

from collections.abc import Sequence
from dataclasses import dataclass

from turnwire.client.languages import same_language


@dataclass(frozen=True, slots=True)
class Track:
    """One audio track of a file."""

    number: int
    """Counted from 1, audio tracks only."""
    language: str | None
    title: str | None
    is_default: bool
    """Whether the file asks players to choose it."""

    def __str__(self) -> str:
        words = [self.language, self.title and f'"{self.title}"', self.is_default and "default"]
        said = ", ".join(word for word in words if word)
        return f"{self.number} ({said})" if said else f"{self.number}"


def chosen(tracks: Sequence[Track], wanted: int | str | None) -> Track | None:
    """The track with this number or in this language; None if there is none.

    If nothing is wanted: the first default track, or the first.
    """
    if wanted is None:
        return next((track for track in tracks if track.is_default), tracks[0])
    return next((track for track in tracks if _is(track, str(wanted))), None)


def _is(track: Track, wanted: str) -> bool:
    if wanted.isdecimal():
        return track.number == int(wanted)
    return track.language is not None and same_language(track.language, wanted)
