"""Settings as people and machines write them: blank, mistyped, with ~ and marks of encodings."""

from pathlib import Path
from typing import Any

import pytest

from turnwire.server.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def refused(config: Path | None = None, **flags: Any) -> str:
    with pytest.raises(SettingsError) as error:
        load_settings(config, **flags)
    return str(error.value)


@pytest.mark.parametrize("blank", ["", " "])
def test_blank_in_the_environment_is_unset(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    plain = load_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"TURNWIRE_{name.upper()}", blank)
    assert load_settings() == plain


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, field in Settings.model_fields.items()
        if "str" in str(field) or "Path" in str(field)
    ],
)
def test_blank_elsewhere_is_refused_by_name(tmp_path: Path, name: str) -> None:
    why = "it is empty; leave it out for its default."
    flags: dict[str, Any] = {name: ""}
    assert refused(**flags) == f"The setting '{name}' cannot be used: {why}"
    file = tmp_path / "turnwire.toml"
    file.write_text(f'{name} = ""')
    assert refused(file) == f"The setting '{name}' of {file} cannot be used: {why}"


def test_what_kubernetes_sets_for_a_service_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNWIRE_PORT", "tcp://10.0.0.1:8080")
    monkeypatch.setenv("TURNWIRE_SERVICE_HOST", "10.0.0.1")
    assert load_settings().port == 8080


@pytest.mark.parametrize("text", ["~/turnwire", "$HOME/turnwire", "${HOME}/turnwire"])
def test_home_is_expanded_everywhere(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file = tmp_path / "turnwire.toml"
    file.write_text(f'data_dir = "{text}"\nmodel = "{text}"')
    monkeypatch.setenv("TURNWIRE_TLS_CERT", text)
    settings = load_settings(file, tls_key=text)
    where = home / "turnwire"
    assert (settings.data_dir, settings.tls_cert, settings.tls_key) == (where, where, where)
    assert settings.model == str(where)


def test_a_home_that_is_not_there() -> None:
    assert refused(data_dir="~nobody-here/x").endswith(": there is no user 'nobody-here'.")


def test_a_name_that_is_not_text() -> None:
    assert refused(data_dir="caf\udce9") == (
        "The setting 'data_dir' cannot be used: its name is not in UTF-8."
    )


def test_a_file_that_begins_with_a_mark(tmp_path: Path) -> None:
    file = tmp_path / "turnwire.toml"
    file.write_bytes(b"\xef\xbb\xbfport = 9000\n")
    assert load_settings(file).port == 9000


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "turnwire.toml"
    assert refused(file) == f"There is no configuration file {file}."
    assert refused(tmp_path) == f"The configuration file {tmp_path} is a folder."
    file.write_bytes("port = 9000\n".encode("utf-16"))
    assert refused(file) == (
        f"The configuration file {file} is not in UTF-8; save it in that encoding."
    )
    file.write_text("port 9000")
    assert refused(file).startswith(f"{file} is not a TOML file: ")
    file.write_text("port = 'abc'")
    assert refused(file).startswith(f"The setting 'port' of {file} cannot be used: ")


def test_a_typo_names_what_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "turnwire.toml"
    file.write_text("prot = 9000")
    assert refused(file) == (f"There is no setting 'prot', which {file} has; did you mean port?")
    file.write_text("nonsense = 1")
    assert refused(file) == f"There is no setting 'nonsense', which {file} has."
    monkeypatch.setenv("TURNWIRE_TLS_CRT", "x")
    assert refused() == "There is no setting TURNWIRE_TLS_CRT; did you mean TURNWIRE_TLS_CERT?"


def test_folders_are_asked_for_when_they_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    settings = load_settings(data_dir=tmp_path / "file" / "below")
    with pytest.raises(
        SettingsError, match=r"cannot be used: .*; give another one with --data-dir"
    ):
        settings.data_folder()
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", _nobody)
    with pytest.raises(SettingsError, match="no home directory to keep accounts and keys in"):
        load_settings().data_folder()


def _nobody(_: int) -> None:
    raise KeyError
