"""The captions against a real server, and against four ways in which a session can end."""

import time
from collections.abc import Callable, Iterator

import pytest
from captions import Captions, CaptionsError

from turnwire.testing import Address, LocalServer

LOUD, QUIET = b"\x00\x40" * 800, bytes(1600)
"""50 ms of audio each; the server hears a word of the script in every five loud ones."""


Rehearsal = Callable[..., Address]


def microphone(captions: Captions, *, interruptions: int = 0) -> Iterator[bytes]:
    """Is quiet until the session was interrupted as often as it will be; then somebody speaks."""
    while len(captions.interruptions) < interruptions:
        time.sleep(0.01)
        yield QUIET
    yield from [LOUD] * 10 + [QUIET] * 40


@pytest.fixture(autouse=True)
def _script(turnwire_script: Callable[..., None]) -> None:
    turnwire_script("Good morning.")


def test_what_is_said_becomes_lines(turnwire_server: LocalServer) -> None:
    captions = Captions(turnwire_server.host, turnwire_server.api_key)
    captions.run(microphone(captions))
    assert captions.lines == ["Good morning."]


def test_a_session_that_expires_is_followed_by_another(
    turnwire_server: LocalServer, turnwire_rehearsal: Rehearsal
) -> None:
    place = turnwire_rehearsal("session_expired", "ok")
    captions = Captions(place.host, turnwire_server.api_key)
    captions.run(microphone(captions, interruptions=1))
    assert captions.interruptions == [3008]
    assert captions.lines == ["Good morning."]


def test_too_many_sessions_are_waited_for(
    turnwire_server: LocalServer, turnwire_rehearsal: Rehearsal
) -> None:
    place = turnwire_rehearsal("too_many_sessions", "too_many_sessions", "ok")
    captions = Captions(place.host, turnwire_server.api_key)
    captions.run(microphone(captions, interruptions=2))
    assert captions.interruptions == [3009, 3009]
    assert captions.lines == ["Good morning."]


def test_a_key_that_is_not_accepted_is_not_tried_again(
    turnwire_server: LocalServer, turnwire_rehearsal: Rehearsal
) -> None:
    captions = Captions(turnwire_rehearsal("unauthorized").host, turnwire_server.api_key)
    with pytest.raises(CaptionsError, match="Invalid API key"):
        captions.run(microphone(captions, interruptions=1))
    assert captions.interruptions == []


def test_a_server_that_fails_again_and_again_is_given_up(
    turnwire_server: LocalServer, turnwire_rehearsal: Rehearsal
) -> None:
    place = turnwire_rehearsal("server_error", after="2frames")
    captions = Captions(place.host, turnwire_server.api_key)
    with pytest.raises(CaptionsError, match="interrupted 5 times"):
        captions.run(microphone(captions, interruptions=5))
    assert captions.interruptions == [3005] * 5
