import pytest

from turnwire.client.address import is_loopback, session_url
from turnwire.client.errors import AddressError
from turnwire.wire.encodings import Encoding


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("ws://localhost:8080", "ws://localhost:8080/v3/ws"),
        ("ws://localhost:8080/", "ws://localhost:8080/v3/ws"),
        ("wss://speech.example.org", "wss://speech.example.org/v3/ws"),
        ("wss://example.org/speech/v3/ws", "wss://example.org/speech/v3/ws"),
        ("ws://[::1]:8080?token=t", "ws://[::1]:8080/v3/ws?token=t"),
        ("ws://localhost#there", "ws://localhost/v3/ws"),
        ("http://localhost:8080", "ws://localhost:8080/v3/ws"),
        ("https://example.org/stt", "wss://example.org/stt"),
        ("localhost:8080", "ws://localhost:8080/v3/ws"),
        ("127.0.0.1:8080", "ws://127.0.0.1:8080/v3/ws"),
        ("[::1]:8080", "ws://[::1]:8080/v3/ws"),
        ("speech.example.org", "wss://speech.example.org/v3/ws"),
        ("  WS://localhost ", "ws://localhost/v3/ws"),
    ],
)
def test_an_address_without_a_path_gets_that_of_sessions(address: str, url: str) -> None:
    assert session_url(address, {}) == url


@pytest.mark.parametrize(
    "address", ["", "ws://", "ftp://localhost", "ws://host:port", "ws://[::1", "a b"]
)
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    with pytest.raises(AddressError, match="not the address of a server; expected"):
        session_url(address, {})


def test_parameters_are_written_as_servers_read_them() -> None:
    url = session_url(
        "ws://localhost?token=t",
        {
            "sample_rate": 8000,
            "encoding": Encoding.PCM_MULAW,
            "format_turns": True,
            "vad_threshold": 0.5,
            "keyterms_prompt": ["a b"],
            "prompt": None,
        },
    )
    assert url == (
        "ws://localhost/v3/ws?token=t&sample_rate=8000&encoding=pcm_mulaw&format_turns=true"
        "&vad_threshold=0.5&keyterms_prompt=%5B%22a+b%22%5D"
    )


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("ws://localhost:80/", True),
        ("ws://127.0.0.1/", True),
        ("ws://[::1]/", True),
        ("ws://10.0.0.1/", False),
        ("wss://example.org/", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback
