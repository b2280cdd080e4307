"""`turnwire doctor`: what it finds, what it advises, and that it changes nothing."""

import asyncio
import json
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from tests.cli.conftest import Invoke
from tests.support import serving
from turnwire.accounts.database import Database, sqlite_url
from turnwire.doctor import machine
from turnwire.doctor import serving as checks
from turnwire.doctor.findings import Grade
from turnwire.server.settings import Settings
from turnwire.server.tls import self_signed
from turnwire.speech import models

DAY = 24 * 60 * 60.0

DOCTOR = ("doctor", "--json", "--port", "0")
ECHO = ("--model", "echo")


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.delenv("TURNWIRE_DATABASE", raising=False)
    monkeypatch.setenv("TURNWIRE_DATA_DIR", str(folder))
    return folder


def examined(turnwire: Invoke, *flags: str, code: int = 0) -> dict[str, dict[str, Any]]:
    result = turnwire(*DOCTOR, *(() if "--model" in flags else ECHO), *flags)
    assert result.exit_code == code, result.output
    return {each["check"]: each for each in json.loads(result.stdout)}


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make_database(folder: Path) -> Path:
    async def make() -> None:
        await (await Database.open(sqlite_url(folder))).close()

    folder.mkdir()
    asyncio.run(make())
    return folder / "turnwire.db"


def test_a_fresh_machine_is_well_and_nothing_is_made(turnwire: Invoke, data_dir: Path) -> None:
    found = examined(turnwire, "--tls-self-signed")
    assert list(found) == [
        *("processor", "memory", "open files", "clock", "disk", "accounts", "address", "TLS"),
        *("model", "capacity"),
    ]
    assert Grade.BAD not in {each["state"] for each in found.values()}
    assert found["accounts"]["finding"].endswith("the first start makes it")
    assert not data_dir.exists()


def test_people_are_told_a_line_each(turnwire: Invoke) -> None:
    result = turnwire("doctor", "--model", "/nowhere", "--port", "0")
    assert result.exit_code == 1
    title, *lines = result.stdout.splitlines()
    assert title.rstrip().endswith("What to do")
    [model] = [line for line in lines if " model " in line]
    assert model.startswith("bad ")
    assert "There is no folder /nowhere" in model
    assert model.rstrip().endswith("name another with --model.")


def test_a_database_is_looked_at_and_left_alone(turnwire: Invoke, data_dir: Path) -> None:
    path = make_database(data_dir)
    before = files(data_dir)
    assert examined(turnwire)["accounts"]["state"] == "good"
    assert files(data_dir) == before
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turnwire_version SET version_num = '0001'")
    db.close()
    before = files(data_dir)
    old = examined(turnwire)["accounts"]
    assert (old["state"], "0001" in old["finding"]) == ("doubtful", True)
    assert "back it up" in old["advice"]
    assert files(data_dir) == before
    with sqlite3.connect(path) as db:
        db.execute("UPDATE turnwire_version SET version_num = '9999'")
    db.close()
    assert "newer Turnwire" in examined(turnwire, code=1)["accounts"]["finding"]


def test_a_file_that_is_no_database_is_bad(turnwire: Invoke, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "turnwire.db").write_bytes(b"something else, and long enough to be looked at" * 100)
    found = examined(turnwire, code=1)["accounts"]
    assert found["state"] == "bad"
    assert "not a database" in found["finding"]


def test_a_database_that_does_not_answer_is_bad_and_its_password_stays_hidden(
    turnwire: Invoke,
) -> None:
    result = turnwire(*DOCTOR, *ECHO, "--database", "postgresql://me:s3cret@127.0.0.1:1/turnwire")
    assert result.exit_code == 1
    assert "cannot be used" in result.stdout
    assert "s3cret" not in result.output


def test_a_taken_port_is_bad(turnwire: Invoke) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = str(silent.getsockname()[1])
        found = examined(turnwire, "--port", port, code=1)["address"]
    assert found["state"] == "bad"
    assert port in found["finding"]


async def test_a_server_that_runs_is_no_reason_to_worry() -> None:
    async with serving() as server:
        settings = Settings(port=int(server.url.rpartition(":")[2]), model="echo", node="here")
        found = await asyncio.to_thread(checks.address, settings)
    assert (found.state, "has a server, Turnwire" in found.finding) == (Grade.GOOD, True)


def test_a_model_that_would_be_fetched_is_not(
    monkeypatch: pytest.MonkeyPatch, turnwire: Invoke
) -> None:
    def download(name: str, *, local_files_only: bool = False) -> str:
        assert local_files_only, "nothing is fetched"
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr(models, "download_model", download)
    found = examined(turnwire, "--model", "small")
    assert found["model"]["state"] == "doubtful"
    assert "capacity" not in found
    assert "no folder" in examined(turnwire, "--model", "/no/model", code=1)["model"]["finding"]


def test_certificates_are_judged_by_their_dates(turnwire: Invoke, tmp_path: Path) -> None:
    assert "no certificate" in " ".join(
        each["finding"]
        for each in examined(
            turnwire, "--tls-cert", __file__, "--tls-key", __file__, code=1
        ).values()
    )
    own = self_signed(tmp_path / "tls", "localhost", now=time.time())
    ends = own.certificate.not_valid_after_utc.timestamp()
    moments = (ends - 60 * DAY, ends - DAY, ends + 1, 0.0)
    assert [checks.certificate(own, now).state for now in moments] == [
        *(Grade.GOOD, Grade.DOUBTFUL, Grade.BAD, Grade.BAD)
    ]


def test_an_open_address_without_tls_is_doubtful(turnwire: Invoke) -> None:
    assert examined(turnwire, "--host", "0.0.0.0")["TLS"]["state"] == "doubtful"


def test_small_machines_are_told_so(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("flags\t\t: fpu sse4_2 avx\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    assert machine.memory(tmp_path).state is Grade.GOOD
    (group / "memory.max").write_text(f"{512 * machine.MIB}\n")
    (group / "memory.current").write_text(f"{100 * machine.MIB}\n")
    assert machine.memory(tmp_path).finding == "412 MiB free"
    assert machine.memory(tmp_path).state is Grade.DOUBTFUL
    (group / "memory.current").write_text(f"{400 * machine.MIB}\n")
    assert machine.memory(tmp_path).state is Grade.BAD
    (group / "cpu.max").write_text("50000 100000\n")
    assert "the time of 0.5" in machine.processor(tmp_path).finding
    crowded = machine.processor(tmp_path, workers=100_000)
    assert (crowded.state, "for 100000 workers" in crowded.finding) == (Grade.BAD, True)
    assert machine.memory(tmp_path / "elsewhere").state is Grade.GOOD
    assert machine.clock(now=0.0).state is Grade.BAD
