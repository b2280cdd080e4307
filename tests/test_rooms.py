"""Which room may import which: the arrows of docs/design.md, held against the code."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "turnwire"

MAY_IMPORT = {
    "wire": {"wire"},
    "recognition": set(),
    "profanity": set(),
    "writing": set(),
    "clock": set(),
    "session": {"session", "wire", "recognition", "writing"},
    "accounts": {"accounts", "wire"},
    "audio": {"audio"},
    "codecs": {"codecs", "audio"},
    "speech": {"speech", "recognition", "writing", "wire.audio"},
    "web": {"web", "wire"},
    "transport": {"transport", "clock", "wire"},
    "server": {
        *("server", "transport", "web", "accounts", "codecs", "speech", "session", "recognition"),
        *("profanity", "clock", "wire"),
    },
    "admin": {
        *("admin", "server", "accounts", "session", "transport", "speech.engine"),
        *("speech.quality", "recognition", "web", "clock", "wire"),
    },
    "webhooks": {"webhooks", "server", "accounts", "admin.client", "session", "clock", "wire"},
    "assembly": {"server", "admin", "metrics", "traces", "webhooks", "transport"},
    "workers": {"workers", "server", "transport"},
    "asgi": {"asgi", "assembly", "server", "speech", "transport", "wire"},
    "rehearsal": {"rehearsal", "server", "transport", "clock", "wire"},
    "doctor": {"doctor", "server", "accounts", "speech", "clock"},
    "metrics": {"metrics", "server", "transport", "session", "speech", "wire"},
    "traces": {"traces", "server", "session", "clock", "wire"},
    "client": {"client", "audio", "clock", "writing", "wire"},
    "probe": {"probe", "client", "wire"},
    "bench": {*("bench", "client", "server", "session", "speech", "recognition", "clock"), "wire"},
    "testing": {"testing", "rehearsal", "webhooks", "server", "speech", "wire"},
    "pytest_plugin": {"testing"},
    "cli": {
        *("cli", "client", "probe", "bench", "rehearsal", "admin", "server", "accounts", "speech"),
        *("assembly", "doctor", "webhooks", "wire", "workers", "writing"),
    },
    "__main__": {"cli"},
}

PURE = {
    *(
        "abc",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "json",
        "math",
        "re",
        "string",
    ),
    *("types", "typing", "unicodedata", "numpy", "pydantic", "pydantic_core", "turnwire"),
}
"""What a room without clocks, sockets and threads may import: what gives the same answer whenever
it is asked, and changes nothing outside."""

CLIENT_ALSO = {"array", "logging", "operator", "sys"}
"""What the client's core may, too: the order of a sample's bytes, and the levels of a log."""

PURE_ROOMS = {"wire", "recognition", "writing", "session"}

TELEMETRY = {"onnxruntime", "faster_whisper", "huggingface_hub"}
"""Packages that report home unless told not to, which `turnwire.speech` does before they load."""

FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            # `from turnwire import wire` imports turnwire.wire as much as `import turnwire.wire`.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_the_way_the_design_says(path: Path) -> None:
    allowed = {"turnwire.__version__"} | {
        f"turnwire.{place}" for place in MAY_IMPORT[room_of(path)]
    }
    for module in imported(path):
        if within(module, "turnwire"):
            assert any(within(module, place) for place in allowed), module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_pure_rooms_know_no_clock_and_no_socket(path: Path) -> None:
    if room_of(path) in PURE_ROOMS:
        assert {module.split(".")[0] for module in imported(path)} <= PURE


def test_the_core_of_the_client_knows_no_clock_and_no_socket() -> None:
    """What decides all that a client does, from `client/stream.py` on, but for the file that audio
    may be kept in."""
    core: set[Path] = set()
    todo = [SOURCE / "client" / "stream.py"]
    while todo:
        path = todo.pop()
        core.add(path)
        modules = set(imported(path))
        if path.stem != "recording":
            assert {module.split(".")[0] for module in modules} <= PURE | CLIENT_ALSO, path
        found = {SOURCE / "client" / f"{name}.py" for name in client_modules(modules)}
        todo += [path for path in found - core if path.exists()]
    assert {"leg", "timeline", "rollover", "pace"} <= {path.stem for path in core}
    assert not {"shell", "sockets", "async_client"} & {path.stem for path in core}


def client_modules(modules: set[str]) -> Iterator[str]:
    for module in modules:
        if within(module, "turnwire.client"):
            yield module.split(".")[2]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_reports_home_is_imported_only_where_that_is_off(path: Path) -> None:
    if room_of(path) != "speech":
        assert not TELEMETRY & {module.split(".")[0] for module in imported(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_decoder_is_small_because_it_imports_little(path: Path) -> None:
    if room_of(path) in ("audio", "codecs"):
        roots = {module.split(".")[0] for module in imported(path)}
        assert roots <= {*sys.stdlib_module_names, "av", "turnwire"}
