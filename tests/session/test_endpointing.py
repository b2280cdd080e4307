"""How likely a pause is to end its turn, held against the pauses of real speech."""

import pytest

from turnwire.session.endpointing import end_probability, endpointing, recognition_options
from turnwire.wire.models import Family
from turnwire.wire.parameters import ConnectionParameters
from turnwire.wire.presets import Mode
from turnwire.wire.queries import parse_query

OVER = 10_000
"""The recording ends in this pause."""

PAUSES: list[tuple[float, int]] = [
    *((0.9, OVER), (0.82, OVER), (0.15, OVER), (0.0, OVER), (0.85, OVER), (0.63, 192)),
    *((0.08, OVER), (0.33, OVER), (0.86, 384), (0.31, 480), (0.52, OVER), (0.83, 352)),
    *((0.76, 288), (0.39, 384), (0.72, 608), (0.42, 256), (0.64, 800), (0.84, 704)),
    *((0.79, 576), (0.61, 320), (0.72, 736), (0.28, 256), (0.56, 224), (0.82, OVER)),
    *((0.44, 2112), (0.91, 2304), (0.42, 2432), (0.74, 4288), (0.0, OVER), (0.79, 960)),
    *((0.92, 1056), (0.87, 960), (0.82, 1440), (0.94, 800), (0.85, 768), (0.28, 288)),
    *((0.9, 1312), (0.18, 288), (0.92, 1280), (0.78, 1408), (0.03, 608), (0.6, OVER)),
    *((0.62, 352), (0.62, 736), (0.88, 704), (0.94, 256), (0.49, OVER), (0.93, 480)),
    *((0.93, 576), (0.88, 672), (0.0, 384), (0.9, 704), (0.61, 320), (0.0, 224)),
    *((0.77, 672), (0.42, 384), (0.66, 480), (0.58, 320), (0.66, 576), (0.03, 480)),
    *((0.9, 736), (0.92, 512), (0.96, 352), (0.24, 448), (0.89, OVER)),
]
"""The 65 pauses in 14 recordings of people who read or talk, as tiny.en and the voice
detector tell them: how complete the words before a pause are, and how many ms it lasts."""


@pytest.mark.parametrize("mode", Mode)
def test_nine_in_ten_of_the_pauses_that_are_given_seven_tenths_end_their_turn(mode: Mode) -> None:
    rules = endpointing(Family.UNIVERSAL_3, ConnectionParameters(mode=mode))
    outcomes = []
    for completeness, lasts in PAUSES:
        enough = rules.min_silence if completeness >= rules.threshold else rules.max_silence
        highest = end_probability(completeness, min(lasts, enough), rules)
        if highest >= 0.7:
            outcomes.append(lasts >= enough)
    assert len(outcomes) > len(PAUSES) / 2
    assert sum(outcomes) >= 0.9 * len(outcomes)


def test_it_rises_to_one_where_the_turn_ends() -> None:
    rules = endpointing(Family.UNIVERSAL_3, ConnectionParameters())
    rising = [end_probability(0.1, silence, rules) for silence in range(0, 1281, 64)]
    assert rising == sorted(rising)
    assert rising[0] < 0.01
    assert rising[-1] == 1.0


@pytest.mark.parametrize(
    ("family", "asked", "least"),
    [
        (Family.UNIVERSAL_STREAMING, {}, 400),
        (Family.UNIVERSAL_STREAMING, {"min_turn_silence": 100, "max_turn_silence": 100}, 100),
        (Family.UNIVERSAL_STREAMING, {"max_turn_silence": 200}, 200),
        (Family.UNIVERSAL_3, {"min_turn_silence": 700}, 700),
    ],
)
def test_a_pause_is_of_use_from_the_silence_on_that_may_end_a_turn(
    family: Family, asked: dict[str, int], least: int
) -> None:
    query = [("sample_rate", "16000"), *((name, str(value)) for name, value in asked.items())]
    assert recognition_options(family, parse_query(query)).least_pause == least
