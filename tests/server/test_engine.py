"""The engine that a server has is the one that its settings say."""

import pytest

from turnwire.asgi import create_app
from turnwire.bench.engine import engine_here
from turnwire.server import engine
from turnwire.server.engine import engine_of
from turnwire.server.settings import load_settings
from turnwire.speech.devices import Device


class NoGpu(Exception):
    pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Device]]:
    """What was asked for, on a machine without a GPU."""
    asked: list[tuple[str, Device]] = []

    def load(models: str, device: Device) -> None:
        asked.append((models, device))
        raise NoGpu

    monkeypatch.setattr(engine, "load_engine", load)
    return asked


@pytest.mark.parametrize(
    ("flags", "device"),
    [
        ({}, Device("cpu", "int8")),
        ({"device": "cuda"}, Device("cuda", "float16")),
        ({"device": "cuda", "compute_type": "int8"}, Device("cuda", "int8")),
    ],
)
def test_how_numbers_are_kept_depends_on_the_device_unless_it_is_said(
    asked: list[tuple[str, Device]], flags: dict[str, str], device: Device
) -> None:
    with pytest.raises(NoGpu):
        engine_of(load_settings(None, model="base", **flags))
    assert asked == [("base", device)]


def test_a_benchmark_runs_on_the_device_that_the_environment_names(
    asked: list[tuple[str, Device]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNWIRE_DEVICE", "cuda")
    with pytest.raises(NoGpu):
        engine_here("base")
    assert asked == [("base", Device("cuda", "float16"))]


async def test_an_application_for_other_servers_runs_on_the_device_of_its_settings(
    asked: list[tuple[str, Device]],
) -> None:
    app = create_app(load_settings(model="base", device="cuda", no_auth=True))
    with pytest.raises(NoGpu):
        async with app.lifespan():
            pass
    assert asked == [("base", Device("cuda", "float16"))]
