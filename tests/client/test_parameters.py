import pytest

from turnwire.client import AsyncClient, Client, parameters
from turnwire.wire.parameters import ConnectionParameters, LiveParameters


def test_the_names_are_those_of_the_protocol() -> None:
    assert set(parameters.Parameters.__annotations__) == set(ConnectionParameters.model_fields)
    assert set(parameters.LiveParameters.__annotations__) == set(LiveParameters.model_fields)


@pytest.mark.parametrize("kind", [AsyncClient, Client])
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sampel_rate", "sample_rate"),
        ("on_trun", "on_turn"),
        ("apikey", "api_key"),
        ("applause", None),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_the_one_that_was_meant(
    kind: type[AsyncClient] | type[Client], given: str, meant: str | None
) -> None:
    hint = f"; did you mean {meant!r}\\?" if meant else "$"
    with pytest.raises(TypeError, match=f"has no parameter {given!r}{hint}"):
        kind("ws://localhost", **{given: None})  # type: ignore[arg-type]


async def test_what_can_only_be_set_at_the_start_cannot_be_changed() -> None:
    client = AsyncClient("ws://localhost")
    with pytest.raises(TypeError, match="update\\(\\) has no parameter 'sample_rate'"):
        await client.update(sample_rate=8000)  # type: ignore[call-arg]
