"""Which language a session speaks, window by window."""

import pytest

from turnwire.recognition import Language
from turnwire.speech.languages import NOTHING_HEARD

SPANISH = [("es", 0.9), ("pt", 0.06), ("id", 0.04)]
LIKE_INDONESIAN = [("id", 0.5), ("es", 0.3), ("pt", 0.2)]
FRENCH = [("fr", 0.95), ("es", 0.03), ("id", 0.02)]


def test_nothing_heard_is_no_verdict() -> None:
    assert NOTHING_HEARD.verdict(()) is None


def test_a_second_of_speech_is_a_common_language_and_not_certain() -> None:
    heard = NOTHING_HEARD.with_window(LIKE_INDONESIAN, 1.0)
    verdict = heard.verdict(())
    assert verdict is not None
    assert verdict.code == "es"
    assert verdict.confidence < 0.6
    assert not heard.is_certain(())


def test_a_verdict_is_corrected_by_more_speech() -> None:
    heard = NOTHING_HEARD.with_window([("id", 0.9), ("es", 0.1)], 1.5)
    for _ in range(2):
        heard = heard.with_window(SPANISH, 4.0)
    verdict = heard.verdict(())
    assert verdict is not None
    assert verdict.code == "es"
    assert verdict.confidence > 0.9


def test_a_verdict_stands_against_a_short_window_and_falls_with_long_ones() -> None:
    heard = NOTHING_HEARD.with_window(SPANISH, 5.0).with_window(SPANISH, 5.0)
    doubted = heard.with_window(LIKE_INDONESIAN, 0.6).verdict(())
    assert doubted is not None
    assert doubted.code == "es"
    for _ in range(2):
        heard = heard.with_window(FRENCH, 5.0)
    verdict = heard.verdict(())
    assert verdict is not None
    assert verdict.code == "fr"


def test_what_is_spoken_is_told_where_it_is_certainly_another_language() -> None:
    french = NOTHING_HEARD.with_window(FRENCH, 5.0)
    other = french.other_than(Language("en", 1.0))
    assert other is not None
    assert other.code == "fr"
    assert french.other_than(Language("fr", 1.0)) is None
    assert NOTHING_HEARD.with_window(FRENCH, 1.0).other_than(Language("en", 1.0)) is None
    assert NOTHING_HEARD.other_than(Language("en", 1.0)) is None


def test_only_allowed_languages_are_heard_if_one_is_known() -> None:
    heard = NOTHING_HEARD.with_window(FRENCH, 5.0)
    bound = heard.verdict(("es", "id"))
    assert bound is not None
    assert bound.code == "es"
    assert bound.confidence == pytest.approx(0.6, abs=0.1)
    unknown = heard.verdict(("tlh",))
    assert unknown is not None
    assert unknown.code == "fr"
