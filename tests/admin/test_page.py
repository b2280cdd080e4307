"""The page about administration names every path and every command."""

import re
from pathlib import Path

from tests.admin.conftest import administered
from turnwire.cli import accounts, admin, keys, sessions, tokens, webhooks

PAGE = (Path(__file__).parents[2] / "docs" / "admin.md").read_text()


async def test_each_path_is_on_the_page() -> None:
    async with administered() as it:
        for path, methods in it.admin.api.openapi()["paths"].items():
            named = path.replace("{name:path}", "{name}")
            rows = [row for row in PAGE.splitlines() if f"{named}`" in row]
            for method in methods:
                assert any(f"`{method.upper()}" in row for row in rows), (method, path)


def test_each_command_is_on_the_page() -> None:
    for group in (accounts, keys, tokens, sessions, webhooks, admin):
        room = group.__name__.rpartition(".")[2]
        rows = [row for row in PAGE.splitlines() if f"`turnwire {room} " in row]
        for command in group.app.registered_commands:
            assert command.callback is not None
            name = command.name or command.callback.__name__
            named = re.compile(rf"`(turnwire {room} )?{name}\b")
            assert any(named.search(row) for row in rows), (room, name)
