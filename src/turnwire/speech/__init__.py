"""Speech engines: audio in, words out."""

import os

from turnwire.speech.engine import Engine

# Packages below send telemetry unless told not to: what runs the models to their vendor, what
# fetches them to the hub. They ask when they are first imported, which is within this room only.
os.environ.update(ORT_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_TELEMETRY="1")

__all__ = ["load_engine"]


def load_engine(model: str) -> Engine:
    """The engine for `--model`: `echo`, a Whisper model's name, or the folder that holds one.

    Blocks while the weights are read, so it is called before the port opens. Raises `EngineError`.
    """
    if model == "echo":
        from turnwire.speech.echo import EchoEngine

        return EchoEngine()
    # Imported only here: it needs the server extra, which the echo and the client do without.
    from turnwire.speech.whisper import load_whisper

    return load_whisper(model)
