import json

from tests.cli.conftest import Invoke
from turnwire.wire.catalogue import closure_rows
from turnwire.wire.closures import CLOSURES


def test_every_closure_is_in_the_table(turnwire: Invoke) -> None:
    lines = turnwire("closures").stdout.splitlines()
    assert len(lines) == 1 + len(CLOSURES)
    for line, row in zip(lines[1:], CLOSURES, strict=True):
        assert line.strip().startswith(f"{row.code}  {row.name} ")
        assert row.template in line
        assert row.meaning in line


def test_for_programs(turnwire: Invoke) -> None:
    assert json.loads(turnwire("closures", "--format", "json").stdout) == closure_rows()
