"""What a server needs beside its accounts: the model, the address, TLS."""

import asyncio
import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from turnwire.clock import LoopClock
from turnwire.doctor.findings import Finding, bad, doubtful, good
from turnwire.server.capacity import Capacity
from turnwire.server.engine import engine_of
from turnwire.server.port import AddressUnusable, Port, hosts
from turnwire.server.settings import Settings
from turnwire.server.tls import SERVER_FILE, Tls, TlsError, tls_of
from turnwire.speech import ENGINES
from turnwire.speech.engine import Engine, EngineError
from turnwire.speech.models import NotHere, find_model

ANSWER_SECONDS = 2.0

ANYWHERE = ("0.0.0.0", "::")
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


def model(settings: Settings) -> Iterator[Finding]:
    """The model, and how many sessions it could serve."""
    if settings.model not in ENGINES:
        try:
            for each in settings.model.split(","):
                find_model(each, fetch=False)
        except NotHere as missing:
            yield doubtful("model", str(missing), "The first start fetches it from the internet.")
            return
        except EngineError as error:
            yield bad("model", str(error), "Install it, or name another with --model.")
            return
    yield good("model", settings.model)
    yield _capacity(settings)


def _capacity(settings: Settings) -> Finding:
    try:
        engine = engine_of(settings)
    except EngineError as error:
        return bad("capacity", str(error), "Install the model anew, or name another.")
    limit = asyncio.run(_limit(engine))
    if limit is None:
        return good("capacity", "any number of sessions")
    if settings.max_sessions is not None and settings.max_sessions > limit:
        return doubtful(
            "capacity",
            f"{limit} sessions at once, and max_sessions is {settings.max_sessions}",
            "With so many, texts come late and worse; leave max_sessions out.",
        )
    return good("capacity", f"{limit} sessions at once")


async def _limit(engine: Engine) -> int | None:
    """How many sessions an engine holds, which is closed then."""
    try:
        return Capacity(engine, LoopClock()).limit()
    finally:
        await engine.close()


def address(settings: Settings) -> Finding:
    if settings.uds is not None:
        return _unix(settings.uds)
    where = f"{settings.host}:{settings.port}"
    try:
        with Port.take(settings.host, settings.port):
            return good("address", f"{where} is free")
    except AddressUnusable as error:
        version = _server_at(settings)
        if version is not None:
            return good("address", f"{where} has a server, Turnwire {version}")
        return bad("address", str(error), "Give another with --host and --port.")


def _unix(path: Path) -> Finding:
    if path.exists() and not path.is_socket():
        return bad("address", f"{path} is no socket", "Remove it, or give another with --uds.")
    if not path.parent.is_dir():
        return bad("address", f"there is no folder {path.parent}", "Make it.")
    return good("address", f"unix:{path}")


def _server_at(settings: Settings) -> str | None:
    """The version of the Turnwire that answers there; None if something else does, or nothing."""
    host = hosts(settings.host)[0]
    if host in ANYWHERE:
        host = "127.0.0.1" if host == ANYWHERE[0] else "::1"
    encrypted = settings.tls_self_signed or settings.tls_cert is not None
    connection = (
        http.client.HTTPSConnection(
            host, settings.port, timeout=ANSWER_SECONDS, context=ssl._create_unverified_context()
        )
        if encrypted
        else http.client.HTTPConnection(host, settings.port, timeout=ANSWER_SECONDS)
    )
    try:
        connection.request("GET", "/health")
        said = json.loads(connection.getresponse().read(10_000))
        return str(said["version"]) if "max_sessions" in said else None
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def tls(settings: Settings, now: float) -> Finding:
    """`now` is in Unix seconds."""
    try:
        found = _own(settings) if settings.tls_self_signed else tls_of(settings, now=now)
    except (TlsError, ValueError, OSError) as error:
        return bad("TLS", str(error), "Mend the settings tls_cert and tls_key.")
    if found is not None:
        return certificate(found, now)
    if settings.tls_self_signed:
        return good("TLS", "a certificate of its own, which the first start makes")
    if settings.uds is None and not set(hosts(settings.host)) <= set(LOOPBACK_HOSTS):
        return doubtful(
            "TLS",
            "none, and other machines may connect",
            "Keys can be read on the way; give --tls-cert, or have a proxy speak TLS.",
        )
    return good("TLS", "none; only this machine can connect")


def _own(settings: Settings) -> Tls | None:
    """The certificate that an earlier start made, if there is one."""
    path = settings.data_folder_name() / "tls" / SERVER_FILE
    if not path.exists():
        return None
    context = ssl.create_default_context()
    return Tls(context, x509.load_pem_x509_certificate(path.read_bytes()))


def certificate(found: Tls, now: float) -> Finding:
    """What clients have, or will have, against it."""
    problem = found.problem(now)
    begins, ends = found.certificate.not_valid_before_utc, found.certificate.not_valid_after_utc
    if problem is None:
        return good("TLS", f"a certificate that is valid until {ends:%Y-%m-%d}")
    judge = doubtful if begins.timestamp() <= now < ends.timestamp() else bad
    return judge("TLS", problem, "Have it renewed; SIGHUP has a server read it again.")
