import subprocess
import sys

import turnwire.client


def test_every_public_name_exists_and_is_listed_in_order() -> None:
    assert turnwire.client.__all__ == sorted(turnwire.client.__all__)
    assert all(hasattr(turnwire.client, name) for name in turnwire.client.__all__)


def test_the_client_needs_nothing_of_the_server() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, turnwire.client; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not {
        "ctranslate2",
        "fastapi",
        "faster_whisper",
        "turnwire.server",
        "turnwire.speech",
        "uvicorn",
    } & set(loaded)
