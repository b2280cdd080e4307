"""One post: by whom it is signed, to which addresses it goes, and whom it trusts."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.webhooks.receiver import Receiver
from turnwire.server.tls import self_signed
from turnwire.webhooks.addresses import is_public
from turnwire.webhooks.posting import NoAnswer, NotAllowed, Poster
from turnwire.webhooks.signing import new_secret, signed_headers


def test_the_signature_is_that_of_standard_webhooks() -> None:
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        timestamp=1614265330,
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert new_secret() != new_secret()


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1"),
        *("fec0::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("2002:7f00:1::1", "2002:a00:1::1"),
    ],
)
def test_other_addresses_are_not_and_neither_is_what_stands_for_one(address: str) -> None:
    assert not is_public(address)


async def test_it_connects_to_the_address_that_was_checked_whatever_the_name_means_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([["10.0.0.1", "93.184.216.34"], ["127.0.0.1"]])
    opened: list[object] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    async def open_connection(host: str, port: int, **options: Any) -> Any:
        opened.append((host, port, options["server_hostname"]))
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    poster = Poster(resolve=resolve)
    with pytest.raises(NoAnswer, match="Connection refused"):
        await poster.post("https://rebound.example/", {}, b"")
    assert opened == [("93.184.216.34", 443, "rebound.example")]
    with pytest.raises(NotAllowed, match=r"rebound\.example is no public address"):
        await poster.post("https://rebound.example/", {}, b"")
    assert len(opened) == 1


async def test_a_certificate_must_be_trusted(tmp_path: Path) -> None:
    own = self_signed(tmp_path, "127.0.0.1", now=time.time())
    receiver = Receiver([])
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=own.context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    poster = Poster(allow_private=True)
    async with server:
        with pytest.raises(NoAnswer, match="its certificate is not trusted"):
            await poster.post(url, {}, b"{}")
        assert receiver.posted == []
        poster.context = ssl.create_default_context(cafile=own.ca_file)
        assert await poster.post(url, {"X-Hook": "me"}, b"{}") == 200
    assert receiver.posted[0].headers["x-hook"] == "me"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "not one of HTTP"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "not one of HTTP"),
        (None, "hung up|[Rr]eset|Broken pipe"),
    ],
)
async def test_what_is_no_answer_is_none(answer: bytes | None, why: str) -> None:
    receiver = Receiver([answer])
    async with await asyncio.start_server(receiver.serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(NoAnswer, match=why):
            await Poster(allow_private=True).post(url, {}, b"x" * 1_000_000)
