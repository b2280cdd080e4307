"""The engine that is measured: the one that `turnwire serve` would have here."""

from turnwire.bench import BenchError
from turnwire.server.engine import engine_of
from turnwire.server.settings import load_settings
from turnwire.server.settings_sources import SettingsError
from turnwire.speech.engine import Engine, EngineError


def engine_here(model: str) -> Engine:
    """The engine for this model, on the device that the environment names. Raises `BenchError`."""
    try:
        return engine_of(load_settings(model=model))
    except (SettingsError, EngineError) as error:
        raise BenchError(str(error)) from None
