from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conformance.programs import program
from tests.recordings import recording
from turnwire.testing import LocalServer, serving


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, whose microphone hears a recording over and over."""
    options = [
        "--no-sandbox",  # which root cannot have, in a container least of all
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it calls nobody else
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={recording('beckett.wav')}",
    ]
    chromium = Path(program("chromium"))
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=options) as browser,
    ):
        yield browser
