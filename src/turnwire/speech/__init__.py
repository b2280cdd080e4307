"""Speech engines: audio in, words out."""

import os
from collections.abc import Callable, Mapping

from turnwire.speech.devices import CPU, Device
from turnwire.speech.engine import Engine
from turnwire.speech.processor import instruction_set

# Packages below send telemetry unless told not to: what runs the models to their vendor, what
# fetches them to the hub. They ask when they are first imported, which is within this room only.
os.environ.update(ORT_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_TELEMETRY="1")

# CTranslate2 asks for it then, too, and takes no more than AVX2 by itself.
if (_instructions := instruction_set()) is not None:
    os.environ.setdefault("CT2_FORCE_CPU_ISA", _instructions)

__all__ = ["ENGINES", "load_engine"]


def _echo(device: Device) -> Engine:
    from turnwire.speech.echo import EchoEngine

    return EchoEngine()


ENGINES: Mapping[str, Callable[[Device], Engine]] = {"echo": _echo}
"""Engines with a name of their own; any other name is that of a Whisper model."""


def load_engine(models: str, device: Device = CPU) -> Engine:
    """The engine for `--model`: one of `ENGINES`, a Whisper model's name, or a folder with one.

    Two models, separated by a comma: the second is for sessions that ask for other languages than
    English. Blocks while the weights are read, so it is called before the port opens. Raises
    `EngineError`.
    """
    if models in ENGINES:
        return ENGINES[models](device)
    # Imported only here: they need the server extra, which the echo and the client do without.
    from turnwire.speech.engines import WhisperEngine, load_whisper

    names = [name.strip() for name in models.split(",")]
    return WhisperEngine(load_whisper(names, device))
