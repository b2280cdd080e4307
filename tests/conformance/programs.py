"""Clients that are programs of their own."""

import os
import shutil

import pytest


def program(name: str) -> str:
    """Where a program is. Without it the test is skipped, but in CI it fails."""
    path = shutil.which(name)
    if path is None:
        absent = pytest.fail if os.environ.get("CI") else pytest.skip
        absent(f"{name} is not installed; ./scripts/install-clients installs it.")
    return path
