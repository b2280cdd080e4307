"""The one law of the client: every word that it was given is in exactly one final turn, or in a
gap that it reported; times never run backwards; callbacks come as the page says.

A long campaign: TURNWIRE_SCHEDULES=20000 pytest tests/client/test_law.py --timeout 3600
"""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client.simulation import World

COMMON = ("talk", "talk", "talk", "serve", "deliver", "deliver", "everything", "wait", "wait")
RARE = (
    *("drop", "close", "fail", "end_unasked", "repeat", "swap", "refuse", "stall", "force"),
    "finish",
)

SCHEDULES = st.lists(
    st.tuples(st.sampled_from(COMMON + RARE), st.integers(0, 11)), min_size=5, max_size=60
)


@settings(max_examples=int(os.environ.get("TURNWIRE_SCHEDULES", "300")))
@given(
    schedule=SCHEDULES,
    capacity_ms=st.sampled_from([3000, 20_000]),
    rereads=st.booleans(),
    recording=st.booleans(),
    begins=st.booleans(),
)
def test_every_word_is_heard_once_or_reported(
    schedule: list[tuple[str, int]], capacity_ms: int, rereads: bool, recording: bool, begins: bool
) -> None:
    world = World(capacity_ms=capacity_ms, rereads=rereads, recording=recording)
    if begins:
        world.everything(0)
    for name, number in schedule:
        world.act(name, number)
    world.come_to_an_end()
    world.check()
