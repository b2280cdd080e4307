"""TLS: certificates of the operator's, and of the server's own making."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.support import PATIENCE, TERMINATE, ManualClock, converse, loud
from turnwire.accounts.admission import OpenRegistry
from turnwire.server.http import listening
from turnwire.server.port import Port
from turnwire.server.service import Service
from turnwire.server.settings import SettingsError, load_settings
from turnwire.server.tls import (
    AUTHORITY_FILE,
    CA_FILE,
    SERVER_FILE,
    Tls,
    TlsError,
    self_signed,
    tls_of,
)
from turnwire.speech.echo import EchoEngine
from turnwire.transport import deadlines, listener
from turnwire.transport.front import HEAD_SECONDS

DAY = 24 * 60 * 60


@asynccontextmanager
async def serving(tls: Tls | None) -> AsyncIterator[str]:
    context = None if tls is None else tls.context
    service = Service(EchoEngine(), OpenRegistry())
    with Port.take("127.0.0.1", 0) as port:
        async with listening(service, port, tls=(lambda: context) if context else None) as url:
            yield url


def trusting(ca_file: Path) -> ssl.SSLContext:
    """What a client that trusts only this connects with; newer Pythons are strict of themselves."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


async def said(url: str, ca_file: Path) -> str:
    connecting = websockets.connect(f"{url}/v3/ws", ssl=trusting(ca_file), proxy=None)
    async with connecting as socket:
        return (await converse(socket, [loud(500), TERMINATE])).transcript


async def test_who_trusts_its_authority_opens_sessions(tmp_path: Path) -> None:
    tls = self_signed(tmp_path / "tls", "127.0.0.1", now=time.time())
    assert tls.ca_file is not None
    async with serving(tls) as url:
        assert url.startswith("wss://127.0.0.1:")
        assert await said(url, tls.ca_file) == "one two"
        assert await said(url.replace("127.0.0.1", "localhost"), tls.ca_file) == "one two"
        async with httpx.AsyncClient(verify=trusting(tls.ca_file)) as http:
            assert (await http.get(f"https{url[3:]}/health")).json()["status"] == "ok"
        with pytest.raises(ssl.SSLCertVerificationError):
            await websockets.connect(url, proxy=None)
        with pytest.raises(websockets.InvalidMessage):
            await websockets.connect(f"ws{url[3:]}", proxy=None)


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        (-2, "is not valid before"),
        (0, None),
        (790, None),
        (795, "expires on"),
        (824, "has expired on"),
    ],
)
def test_what_clients_have_against_a_certificate(
    tmp_path: Path, days: int, problem: str | None
) -> None:
    now = 1_800_000_000.0
    told = self_signed(tmp_path, "127.0.0.1", now=now).problem(now + days * DAY)
    assert (told is None) if problem is None else (told is not None and problem in told)


def test_a_certificate_of_a_clock_that_was_ahead_is_made_anew(tmp_path: Path) -> None:
    now = time.time()
    assert self_signed(tmp_path, "127.0.0.1", now=now + 400 * DAY).problem(now) is not None
    assert self_signed(tmp_path, "127.0.0.1", now=now).problem(now) is None


async def test_a_server_that_stops_does_not_wait_for_an_idle_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FAREWELL_SECONDS", 0.2)
    tls = self_signed(tmp_path, "127.0.0.1", now=time.time())
    async with asyncio.timeout(PATIENCE):
        async with serving(tls) as url:
            port = int(url.rpartition(":")[2])
            # Paused, it does not see that the server takes leave.
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusting(tmp_path / CA_FILE), limit=1
            )
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.read(8) == b"HTTP/1.1"
    writer.transport.abort()


async def test_a_client_that_does_not_begin_tls_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    monkeypatch.setattr(deadlines, "_CLOCK", clock)
    tls = self_signed(tmp_path, "127.0.0.1", now=time.time())
    async with asyncio.timeout(PATIENCE), serving(tls) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        reading = asyncio.create_task(reader.read())
        while not reading.done():
            await asyncio.sleep(0.001)
            clock.advance(1)
        assert clock.now() >= HEAD_SECONDS
        assert await reading == b""
        writer.close()


def test_it_is_kept_and_only_its_owner_reads_the_keys(tmp_path: Path) -> None:
    now = time.time()
    self_signed(tmp_path, "127.0.0.1", now=now)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    self_signed(tmp_path, "127.0.0.1", now=now + 700 * DAY)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    private = {name for name, content in files.items() if b"PRIVATE KEY" in content}
    assert private == files.keys() - {CA_FILE}
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in private} == {0o600}


async def test_it_is_renewed_before_it_runs_out_by_the_same_authority(tmp_path: Path) -> None:
    now = time.time()
    self_signed(tmp_path, "127.0.0.1", now=now - 800 * DAY)
    trusted = trusting(tmp_path / CA_FILE).get_ca_certs()
    old = (tmp_path / SERVER_FILE).read_bytes()
    tls = self_signed(tmp_path, "127.0.0.1", now=now)
    assert (tmp_path / SERVER_FILE).read_bytes() != old
    assert trusting(tmp_path / CA_FILE).get_ca_certs() == trusted
    async with serving(tls) as url:
        assert await said(url, tmp_path / CA_FILE) == "one two"


async def test_it_is_renewed_for_another_host_by_the_same_authority(tmp_path: Path) -> None:
    now = time.time()
    self_signed(tmp_path, "127.0.0.1", now=now)
    trusted = (tmp_path / CA_FILE).read_bytes()
    tls = self_signed(tmp_path, "ears.example.org", now=now)
    assert (tmp_path / CA_FILE).read_bytes() == trusted
    async with serving(tls) as url:
        connecting = websockets.connect(
            url, ssl=trusting(tmp_path / CA_FILE), server_hostname="ears.example.org", proxy=None
        )
        async with connecting as socket:
            assert (await converse(socket, [TERMINATE])).code == 1000


async def test_an_authority_that_runs_out_makes_way_for_another(tmp_path: Path) -> None:
    now = time.time()
    self_signed(tmp_path, "127.0.0.1", now=now - 3640 * DAY)
    trusted = (tmp_path / CA_FILE).read_bytes()
    tls = self_signed(tmp_path, "127.0.0.1", now=now)
    assert (tmp_path / CA_FILE).read_bytes() != trusted
    async with serving(tls) as url:
        assert await said(url, tmp_path / CA_FILE) == "one two"


async def test_an_authority_that_was_lost_is_not_missed(tmp_path: Path) -> None:
    now = time.time()
    self_signed(tmp_path, "127.0.0.1", now=now)
    (tmp_path / AUTHORITY_FILE).unlink()
    async with serving(self_signed(tmp_path, "127.0.0.1", now=now)) as url:
        assert await said(url, tmp_path / CA_FILE) == "one two"


async def test_a_certificate_of_the_operators_own(tmp_path: Path) -> None:
    self_signed(tmp_path, "127.0.0.1", now=time.time())
    own = tmp_path / SERVER_FILE
    tls = tls_of(load_settings(tls_cert=own, tls_key=own), now=0)
    assert tls is not None
    assert tls.ca_file is None
    async with serving(tls) as url:
        assert await said(url, tmp_path / CA_FILE) == "one two"


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    for name in ("a", "b"):
        self_signed(tmp_path / name, "127.0.0.1", now=time.time())
    one, other = (tmp_path / name / SERVER_FILE for name in ("a", "b"))
    locked, nonsense, missing = (tmp_path / name for name in ("locked", "nonsense", "missing"))
    locked.write_bytes(
        load_pem_private_key(one.read_bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
    )
    nonsense.write_text("nonsense")

    def problem(cert: Path, key: Path) -> str:
        with pytest.raises(TlsError) as error:
            tls_of(load_settings(tls_cert=cert, tls_key=key), now=0)
        return str(error.value)

    unreadable = "cannot be read: No such file or directory."
    assert problem(missing, one) == f"The certificate {missing} {unreadable}"
    assert problem(one, missing) == f"The key {missing} {unreadable}"
    assert problem(one, other) == f"The key {other} does not belong to the certificate {one}."
    for cert, key in ((nonsense, one), (one, nonsense), (one, locked)):
        pem = f"{cert} and {key} are no certificate and unencrypted key as PEM."
        assert problem(cert, key) == pem


def test_certificates_that_cannot_be_kept_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TlsError, match=r"file/tls cannot be kept: Not a directory\.$"):
        self_signed(tmp_path / "file" / "tls", "127.0.0.1", now=0)
    (tmp_path / SERVER_FILE).write_text("nonsense")
    with pytest.raises(TlsError, match="is damaged; remove it, and a new one is made"):
        self_signed(tmp_path, "127.0.0.1", now=0)
    with pytest.raises(TlsError, match=r"There can be no certificate for the host 'x\.\.y'\."):
        self_signed(tmp_path, "x..y", now=0)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"tls_cert": "x"}, "tls_cert and tls_key go together: give both or neither."),
        ({"tls_key": "x"}, "tls_cert and tls_key go together: give both or neither."),
        (
            {"tls_cert": "x", "tls_key": "x", "tls_self_signed": True},
            "give tls_cert and tls_key, or tls_self_signed, not both.",
        ),
    ],
)
def test_there_is_one_certificate(flags: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(**flags)
    assert str(error.value) == f"These settings cannot be used: {why}"


def test_without_these_settings_there_is_no_tls() -> None:
    assert tls_of(load_settings(), now=0) is None
