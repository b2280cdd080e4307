"""Where settings come from besides flags: the environment, and a TOML file."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PREFIX = "TURNWIRE_"


class SettingsError(Exception):
    """A setting has a value it cannot have; the text is one sentence for the operator."""


def from_environment(
    names: Iterable[str], environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The values of these settings. What is blank is not set: that is how Compose leaves out.

    Raises `SettingsError` for what nearly is a setting.
    """
    names = list(names)
    found = {}
    for variable, value in environment.items():
        if not variable.upper().startswith(PREFIX) or not value.strip():
            continue
        name = variable[len(PREFIX) :].lower()
        if name in names:
            if not _of_kubernetes(name, value):
                found[name] = value
        elif meant := _meant(name, names):
            raise SettingsError(
                f"There is no setting {variable}; did you mean {PREFIX}{meant.upper()}?"
            )
    return found


def _of_kubernetes(name: str, value: str) -> bool:
    """Whether Kubernetes has set it to say where a service called "turnwire" is."""
    return name == "port" and value.startswith("tcp://")


def from_file(path: Path, names: Iterable[str]) -> dict[str, Any]:
    """The settings of a TOML file. Raises `SettingsError`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"There is no configuration file {path}.") from None
    except IsADirectoryError:
        raise SettingsError(f"The configuration file {path} is a folder.") from None
    except OSError as error:
        raise SettingsError(
            f"The configuration file {path} cannot be read: {error.strerror}."
        ) from None
    try:
        # Some editors begin a file with a mark of its encoding.
        settings = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SettingsError(
            f"The configuration file {path} is not in UTF-8; save it in that encoding."
        ) from None
    except ValueError as error:
        raise SettingsError(f"{path} is not a TOML file: {error}.") from None
    names = list(names)
    for name in settings:
        if name not in names:
            meant = _meant(name.replace("-", "_").lower(), names)
            hint = f"; did you mean {meant}?" if meant else "."
            raise SettingsError(f"There is no setting {name!r}, which {path} has{hint}")
    return settings


def _meant(name: str, names: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return near[0] if near else None


def expanded(path: str) -> str:
    """A path as people type it, with what ~ and $HOME stand for. Raises ValueError."""
    full = os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 (a model is no path yet)
    if full.startswith("~"):
        whose = full.partition("/")[0][1:]
        raise ValueError(
            f"there is no user {whose!r}" if whose else "there is no home directory for ~"
        )
    try:
        os.fsencode(full).decode()
    except UnicodeDecodeError:
        raise ValueError("its name is not in UTF-8") from None
    return full
