"""`turnwire bench`, with the engine that needs no model."""

import builtins
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke
from turnwire.cli.bench import running
from turnwire.server.settings import load_settings


@pytest.fixture
def clips(speech: Path) -> Path:
    """A folder with a recording of three seconds."""
    folder = speech.parent / "clips"
    folder.mkdir()
    shutil.copy(speech, folder)
    return folder


@pytest.fixture(autouse=True)
def _hardly_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwire.bench.speech.WARM_UP_SECONDS", 0.1)
    monkeypatch.setattr("turnwire.bench.upkeep.WARM_UP_SESSIONS", 2)


def shape(value: Any) -> Any:
    """The keys of a JSON value, and the types of what they have."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


SPREAD = {"count": "int", **dict.fromkeys(("p50", "p95", "p99", "most"), "float")}

LOAD = {"cores": "float", "late_ms": "float"}

FIGURES = {
    "model": "str",
    "sessions": "int",
    "duty": "float",
    "audio_seconds": "float",
    "speech_seconds": "float",
    "cpu_ms_per_audio_second": "float",
    "cpu_ms_per_speech_second": "float",
    "peak_memory_mb": "float",
    "event_loop_lag_ms": "float",
    "begin": SPREAD,
    "first_words": SPREAD,
    "partial_lag": SPREAD,
    "final": SPREAD,
    "beyond_silence": SPREAD,
    "close": SPREAD,
    "in_real_time": "int",
    "not_final": SPREAD,
    "partials_without_final": "int",
    "missed": {},
    "final_words": "int",
    "final_words_changed": "int",
    "load": LOAD,
    "words": "NoneType",
}


def figures_in(path: Path) -> Any:
    figures = json.loads(path.read_text())
    machine = figures.pop("machine")
    assert machine["cores"] > 0
    assert set(machine["packages"]) > {"turnwire", "ctranslate2"}
    return figures


def test_speech_is_measured(turnwire: Invoke, clips: Path, tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    result = turnwire(
        *("bench", "--sessions", "2", "--seconds", "4", "--duty", "0.5", "--model", "echo"),
        *("--clips", clips, "--json", written),
    )
    assert (result.exit_code, result.stderr) == (0, "")
    lines = re.sub(r"  +", "  ", result.stdout)
    assert "Sessions in real time  2 of 2" in lines
    assert "Played  8 s of audio, 50 % speech" in lines
    assert re.search(r"CPU of the server  \d+\.\d ms per second of audio, ", lines)
    assert re.search(r"^Begin  (\d+\.\d  ){4}2$", lines, re.M)
    figures = figures_in(written)
    # Whether a turn ends within so short a time depends on where it began.
    timed = {name: SPREAD for name, value in figures.items() if FIGURES[name] is SPREAD}
    assert shape(figures) | timed == FIGURES
    assert (figures["sessions"], figures["in_real_time"], figures["missed"]) == (2, 2, {})


def test_accuracy_plays_each_clip_once(turnwire: Invoke, clips: Path) -> None:
    result = turnwire("bench", "accuracy", "--clips", clips, "--model", "echo", "--each")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 of 1" in result.stdout
    assert re.search(r"Played +3 s of audio", result.stdout)


def test_recognition_is_measured_without_a_server(
    turnwire: Invoke, clips: Path, tmp_path: Path
) -> None:
    written = tmp_path / "figures.json"
    result = turnwire(
        *("bench", "recognition", "--clips", clips, "--model", "echo"),
        *("--noise", "10", "--babble", "10", "--telephone", "--json", written),
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"CPU +\d+\.\d ms per second of audio", result.stdout)
    figures = figures_in(written)
    assert figures["conditions"] == {"noise_db": 10, "babble_db": 10, "telephone": True}


def test_a_server_without_cpu_for_a_while_is_measured(turnwire: Invoke, clips: Path) -> None:
    result = turnwire(
        *("bench", "--disturb", "1", "--sessions", "1", "--seconds", "4", "--model", "echo"),
        *("--clips", clips),
    )
    assert result.exit_code == 1
    assert "That takes 31 seconds at least." in result.stderr


def test_an_engine_without_a_limit_cannot_be_overloaded(turnwire: Invoke, clips: Path) -> None:
    result = turnwire(
        *("bench", "--overload", "--seconds", "2", "--model", "echo", "--clips", clips)
    )
    assert result.exit_code == 1
    assert "admits any number of sessions" in result.stderr


def test_the_cost_of_sessions_is_measured(turnwire: Invoke, tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    result = turnwire("bench", "overhead", "--sessions", "2", "--seconds", "1", "--json", written)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"CPU of the server for a frame of 50 ms  \d+\.\d µs", result.stdout)
    assert shape(figures_in(written)) == {
        "model": "str",
        "sessions": "int",
        "frames": "int",
        "cpu_us_per_frame": "float",
        "ended_well": "int",
        "begin": SPREAD,
        "close": SPREAD,
        "load": LOAD,
    }


def test_idle_sessions_are_measured(turnwire: Invoke) -> None:
    result = turnwire("bench", "idle", "--sessions", "3", "--seconds", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Still open at the end  3 of 3" in result.stdout


def test_sessions_that_come_and_go_are_measured(turnwire: Invoke) -> None:
    result = turnwire("bench", "churn", "--sessions", "5")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Sessions that ended well  5 of 5" in result.stdout


def test_the_capacity_found_is_written(
    turnwire: Invoke, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from turnwire.bench.speech import SpeechFigures

    monkeypatch.setattr(SpeechFigures, "holds", property(lambda figures: figures.sessions <= 1))
    limit, written = tmp_path / "turnwire.toml", tmp_path / "figures.json"
    result = turnwire(
        *("bench", "--find-capacity", "--seconds", "1", "--model", "echo", "--clips", clips),
        *("--write-limit", limit, "--json", written),
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 sessions  no turn ended beyond the silence  holds" in result.stdout
    assert re.search(r"Sessions that this machine holds  1 \(echo, 100 % speech\)", result.stdout)
    assert load_settings(limit).max_sessions == 1
    figures = figures_in(written)
    assert figures["sessions"] == 1
    assert figures["steps"][-1]["sessions"] == 1


def written_figures(path: Path, sessions: int, p50: float) -> Path:
    figures = {
        "model": "tiny.en",
        "duty": 1.0,
        "sessions": sessions,
        "beyond_silence": {"p50": p50, "p95": 4 * p50},
        "machine": {"cpu": "a CPU", "cores": 2, "date": "2026-01-01"},
    }
    path.write_text(json.dumps(figures))
    return path


def test_latency_over_sessions_is_drawn(turnwire: Invoke, tmp_path: Path) -> None:
    one = written_figures(tmp_path / "one.json", 24, 50.0)
    more = written_figures(tmp_path / "more.json", 32, 70.0)
    svg = tmp_path / "charts" / "latency.svg"
    result = turnwire("bench", "plot", more, one, "--svg", svg)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    drawn = svg.read_text()
    for said in ("tiny.en; a CPU, 2 cores, 2026-01-01", "p50, all speaking", "p95, all speaking"):
        assert said in drawn
    assert re.findall(r"<title>(p95.*)</title>", drawn) == [
        "p95, all speaking: 200 at 24",
        "p95, all speaking: 280 at 32",
    ]


def test_a_search_for_the_capacity_is_drawn_by_its_steps(turnwire: Invoke, tmp_path: Path) -> None:
    steps = [
        json.loads(written_figures(tmp_path / "step.json", sessions, 50.0).read_text())
        for sessions in (4, 8, 16)
    ]
    (tmp_path / "capacity.json").write_text(json.dumps(steps[0] | {"steps": steps}))
    svg = tmp_path / "latency.svg"
    assert turnwire("bench", "plot", tmp_path / "capacity.json", "--svg", svg).exit_code == 0
    assert svg.read_text().count("<title>p50") == 3


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("not JSON", "is not JSON"),
        ("[]", "has no figures"),
        ('{"model": "tiny.en"}', "is not what `turnwire bench --json`"),
        ('{"steps": 3}', "is not what `turnwire bench --json`"),
        ('{"machine": {"cpu": "", "cores": 1, "date": ""}, "steps": []}', "No turn ended"),
        (None, "No such file"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    turnwire: Invoke, tmp_path: Path, written: str | None, said: str
) -> None:
    figures = tmp_path / "figures.json"
    if written is not None:
        figures.write_text(written)
    result = turnwire("bench", "plot", figures, "--svg", tmp_path / "latency.svg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "latency.svg").exists()


def test_a_file_that_cannot_take_the_limit_is_found_out_before(
    turnwire: Invoke, clips: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes").write_text("not a setting")
    result = turnwire(
        "bench", "--find-capacity", "--clips", clips, "--write-limit", tmp_path / "notes"
    )
    assert result.exit_code == 1
    assert "notes is not a TOML file, and stays as it is" in result.stderr
    assert result.stdout == ""


def test_a_limit_is_only_written_if_it_is_searched(turnwire: Invoke, tmp_path: Path) -> None:
    result = turnwire("bench", "--write-limit", tmp_path / "turnwire.toml")
    assert result.exit_code == 2
    assert "--find-capacity" in result.stderr


def test_a_folder_without_audio(turnwire: Invoke, tmp_path: Path) -> None:
    result = turnwire("bench", "--clips", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"There is no audio in {tmp_path}.\n"


def test_a_model_that_is_not_there(turnwire: Invoke) -> None:
    result = turnwire("bench", "churn", "--model", "./no-such-folder")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no-such-folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_not_installed_is_asked_for(
    turnwire: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without_inflect(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("turnwire.bench"):
            raise ModuleNotFoundError("No module named 'inflect'", name="inflect")
        return imported(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_inflect)
    result = turnwire("bench", "idle")
    assert result.exit_code == 1
    assert 'inflect is not installed: pip install "turnwire[bench,tiny-en]"' in result.stderr


def test_without_clips_the_demo_is_played(monkeypatch: pytest.MonkeyPatch, speech: Path) -> None:
    monkeypatch.setattr(running, "recording", lambda: speech)
    (clip,) = running.clips_in(None)
    assert clip.path == speech
