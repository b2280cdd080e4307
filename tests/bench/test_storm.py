"""An attack from a process of its own, and what everybody else has of it."""

import pytest

from tests.bench.test_load import SPEECH
from turnwire.bench import storm
from turnwire.bench.serving import serving
from turnwire.bench.storm import measure_storm


async def test_a_server_serves_others_amid_floods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm, "SPEAKERS", 1)
    async with serving("echo") as server:
        figures = await measure_storm(server, [SPEECH], model="echo", attack="floods", seconds=1)
    assert figures.ended_well == figures.asked > 0
    assert figures.speech.final_words_changed == 0
    assert set(figures.speech.missed) <= {"a turn ended late", "the end came late"}
