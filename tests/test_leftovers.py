"""A test that leaves a thread or a process behind fails, also if it was skipped in between."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

LEAVES_A_THREAD = """
    import threading, pytest
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="left behind")

    def test_that_is_skipped():
        thread.start()
        pytest.skip("something is not installed")

    def test_the_next():
        go_on.set()
        thread.join()
"""

LEAVES_A_PROCESS = """
    import subprocess, sys
    children = []

    def test_that_forgets():
        command = [sys.executable, "-c", "print(flush=True); input()"]
        pipe = subprocess.PIPE
        children.append(subprocess.Popen(command, stdin=pipe, stdout=pipe))
        children[0].stdout.readline()

    def test_the_next():
        children[0].communicate(b"\\n")
"""

SHARES_A_SERVER = """
    import threading, pytest

    @pytest.fixture(scope="module")
    def server():
        stop = threading.Event()
        started = []

        def start(name):
            started.append(threading.Thread(target=stop.wait, name=name))
            started[-1].start()

        start("server")
        yield start
        stop.set()
        for thread in started:
            thread.join()

    def test_of_the_server(server):
        server("asyncio_0")
"""


def test_what_is_left_behind(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makeconftest(
        "from tests import leftovers\n"
        "leftovers.GRACE_SECONDS = 0.0\n"
        "from tests.conftest import _nothing_outlives_a_module, _nothing_outlives_a_test\n"
    )
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(
        test_thread=LEAVES_A_THREAD, test_process=LEAVES_A_PROCESS, test_server=SHARES_A_SERVER
    )
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    outcome = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=4, skipped=1, errors=2)
    outcome.stdout.fnmatch_lines(
        ["E *still running: process * input()*", "E *still running: left behind*"]
    )
