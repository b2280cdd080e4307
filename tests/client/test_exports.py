import subprocess
import sys

import pytest

import turnwire
import turnwire.client


def loaded(code: str) -> set[str]:
    """The modules that a process has after this."""
    return set(
        subprocess.run(
            [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
    )


def test_every_public_name_exists_and_is_listed_in_order() -> None:
    assert turnwire.client.__all__ == sorted(turnwire.client.__all__)
    assert all(hasattr(turnwire.client, name) for name in turnwire.client.__all__)


def test_the_names_that_most_need_are_at_the_top() -> None:
    assert turnwire.Client is turnwire.client.Client
    assert turnwire.AsyncClient is turnwire.client.AsyncClient
    assert turnwire.Turn is turnwire.client.Turn
    with pytest.raises(AttributeError, match="no attribute 'Clint'"):
        turnwire.Clint  # noqa: B018


def test_the_package_itself_costs_nothing() -> None:
    more = loaded("import turnwire") - loaded("import typing")
    assert more == {"turnwire"}


def test_the_client_loads_nothing_of_the_server_and_nothing_that_reads_files() -> None:
    heavy = {"av", "ctranslate2", "fastapi", "faster_whisper", "numpy", "pydantic", "uvicorn"}
    heavy |= {"cryptography", "platformdirs", "rich", "sqlalchemy", "typer"}
    heavy |= {"difflib", "tempfile", "websockets"}
    modules = loaded("from turnwire import Client")
    assert not heavy & modules
    assert "turnwire.client" in modules
    assert not {"turnwire.server", "turnwire.speech"} & modules
