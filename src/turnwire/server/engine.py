"""The speech engine of a server, as its settings say."""

from turnwire.server.settings import Settings
from turnwire.speech import load_engine
from turnwire.speech.devices import Device
from turnwire.speech.engine import Engine


def engine_of(settings: Settings) -> Engine:
    """The engine for these settings. Blocks while the weights are read. Raises `EngineError`."""
    return load_engine(settings.model, Device.of(settings.device, settings.compute_type))
