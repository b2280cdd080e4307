"""What a terminal shows while a recording is heard."""

from io import StringIO

import pytest
from rich.console import Console

from turnwire.cli.screen import BAR_CHARACTERS, Screen
from turnwire.client.messages import Turn, Word


def shown(seconds: float | None, *reached: tuple[float, float], terminal: bool = True) -> str:
    """What was drawn last, after so many seconds of audio were heard at these times."""
    file, now = StringIO(), [0.0]
    console = Console(file=file, force_terminal=terminal, width=100, color_system=None)
    with Screen(console, seconds, clock=lambda: now[0]) as screen:
        for heard, at in reached:
            file.truncate(file.seek(0))
            now[0] = at
            screen.heard(heard)
        return file.getvalue()


def test_how_far_it_has_come_and_how_long_it_will_take() -> None:
    line = shown(600.0, (50.0, 4.0), (200.0, 10.0))
    assert "03:20.0 of 10:00.0 heard, 0:20 left" in line
    assert line.count("━") == BAR_CHARACTERS / 3


@pytest.mark.parametrize("reached", [(5.0, 0.5), (0.0, 9.0)])
def test_nothing_is_estimated_before_anything_is_known(reached: tuple[float, float]) -> None:
    assert "left" not in shown(600.0, reached)


def test_more_than_the_file_said_is_no_negative_time() -> None:
    assert "0:00 left" in shown(600.0, (630.0, 10.0))


def test_a_recording_of_unknown_length_has_a_position_alone() -> None:
    line = shown(None, (50.0, 4.0))
    assert "00:50.0 heard" in line
    assert "━" not in line


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    assert shown(600.0, (50.0, 4.0), terminal=False) == ""


def test_words_without_spaces_are_shown_so() -> None:
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=100, color_system=None)
    texts = {"今日": False, "は": True, "New": False, "York": False, "です。": True}
    words = tuple(Word(text=text, start=0, end=0, joined=joined) for text, joined in texts.items())
    with Screen(console, None) as screen:
        screen.hear(Turn(turn_order=0, words=words))
        assert "今日は New Yorkです。" in file.getvalue()
