"""Adding a closure is adding a row: everything else follows from it."""

import json
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_a_new_row_turns_up_everywhere_without_touching_another_file() -> None:
    program = Path(__file__).parent / "new_row.py"
    run = subprocess.run(
        [sys.executable, program, DOCS], check=True, capture_output=True, text=True
    )
    assert json.loads(run.stdout) == {
        "exception": "ErrorClosure",
        "written": True,
        "page": True,
        "menu": True,
        "catalogue": "out_of_ink",
        "client": "out_of_ink",
        "metrics": ["turnwire_sessions_ended"],
        "probe": ["exact", "contained", "differs"],
    }
