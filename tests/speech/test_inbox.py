"""Whether audio comes as it is spoken."""

from turnwire.speech.inbox import Inbox

RATE = 16_000


class Clock:
    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


def came(inbox: Inbox[str], clock: Clock, seconds: float, every: float, count: int) -> bool:
    """Have `count` pieces come, one `every` so many seconds; whether the last was live."""
    for _ in range(count):
        clock.now += every
        inbox.note_arrival(int(seconds * RATE))
    return inbox.live


def test_what_comes_as_it_is_spoken_is_live() -> None:
    for seconds in (0.05, 0.5, 1.0):
        clock = Clock()
        assert came(Inbox(RATE, clock), clock, seconds, every=seconds, count=30)


def test_what_comes_faster_is_a_recording() -> None:
    for every in (0.0, 0.03):
        clock = Clock()
        assert not came(Inbox(RATE, clock), clock, 0.05, every=every, count=100)


def test_what_was_kept_while_nothing_could_be_taken_is_live() -> None:
    clock = Clock()
    inbox: Inbox[str] = Inbox(RATE, clock)
    came(inbox, clock, 0.05, every=0.05, count=100)
    clock.now += 12
    assert came(inbox, clock, 0.05, every=0.0, count=240)
    assert came(inbox, clock, 0.05, every=0.05, count=100)


def test_what_a_client_had_kept_when_it_began_makes_no_recording_for_good() -> None:
    clock = Clock()
    inbox: Inbox[str] = Inbox(RATE, clock)
    assert not came(inbox, clock, 3.0, every=0.0, count=1)
    assert came(inbox, clock, 0.05, every=0.05, count=800)
