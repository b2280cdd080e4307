"""Where a file's frames stand on its clock: holes are kept as silence, what overlaps is cut.

A frame is placed by its time stamp, if that can be believed. One that the next frame does not
confirm is ignored. Stamps that jump and go on from there are followed forwards, where the file
says that it is so long, and a little way back; any other jump is the clock that was set anew, as
where files were joined, and the audio goes on without a gap.
"""

from dataclasses import dataclass

TOLERANCE_SECONDS = 0.1
"""Stamps may be so far off before they are followed: many containers round or jitter."""

ROUNDING_SECONDS = 0.002
"""How far off stamps in whole milliseconds are."""

LENGTH_SLACK_SECONDS = 1.0
"""How far beyond its declared length a file may go."""

LONGEST_HOLE_SECONDS = 3600.0
"""The longest hole that is believed where a file does not say how long it is."""

LONGEST_OVERLAP_SECONDS = 10.0
"""The longest overlap that is cut: as long as a segment of a live stream."""

BEGINNING_SECONDS = 0.5
"""A clock that goes back to so near its first stamp begins again."""


@dataclass(slots=True)
class StampClock:
    """Turns stamps into what has to be done for the audio to keep to them. Times in seconds."""

    length: float | None
    """Where the file says that its audio ends."""
    origin: float = 0.0
    """The stamp of the file's beginning."""
    first: float | None = None
    """The first stamp of all."""
    wild: int = 0
    """How many stamps were not followed."""
    cutting: bool = False
    """Within an overlap, which is cut to its end."""

    def silence_before(
        self, stamp: float | None, lasts: float, following: float | None, position: float
    ) -> float:
        """How long a silence this frame needs before it; if negative, how much of it to cut.

        `lasts` is how long the frame is, `following` the stamp of the next one, and `position`
        how much audio there is so far.
        """
        if stamp is None:
            return 0.0
        if self.first is None:
            self.first = stamp
        jump = stamp - self.origin - position
        if abs(jump) <= (ROUNDING_SECONDS if self.cutting else TOLERANCE_SECONDS):
            self.cutting = False
            return 0.0
        confirmed = following is not None and abs(following - stamp - lasts) <= TOLERANCE_SECONDS
        end = position + jump + lasts
        if jump > 0:
            possible = (
                jump <= LONGEST_HOLE_SECONDS
                if self.length is None
                else end <= self.length + LENGTH_SLACK_SECONDS
            )
        else:
            begins_again = stamp - self.first < BEGINNING_SECONDS < -jump
            possible = -jump <= LONGEST_OVERLAP_SECONDS and not begins_again
        if possible and (confirmed or following is None):
            self.cutting = jump < 0
            return jump
        self.wild += 1
        if confirmed:
            self.origin += jump
        return 0.0
