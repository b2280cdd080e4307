"""The server's settings as options of a command."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic.fields import FieldInfo

from turnwire.cli.failures import fail
from turnwire.server.settings import PREFIX, Settings, SettingsError, load_settings
from turnwire.server.settings_sources import expanded

CONFIG = Annotated[
    str | None,
    typer.Option(
        help="A TOML file with settings.",
        envvar=f"{PREFIX}CONFIG",
        show_envvar=True,
        metavar="PATH",
    ),
]


@dataclass(frozen=True, slots=True)
class Flags:
    """What was given to a command."""

    config: Path | None
    """The file with settings."""
    settings: dict[str, Any]
    """By name; None for those that were not given."""


def takes_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a command of a function of `Settings`: its options are these fields, or all.

    An option that is not given is left to the environment and the file. What else the function
    takes stays as it is.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @takes_flags(*names)
        @functools.wraps(function)
        def command(given: Flags, **others: Any) -> None:
            function(load(given), **others)

        return command

    return decorate


def load(given: Flags) -> Settings:
    """The settings, also from the environment and the file."""
    try:
        return load_settings(given.config, **given.settings)
    except SettingsError as error:
        fail(str(error), code=2)


def takes_flags(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same of a function of `Flags`."""
    fields = {name: Settings.model_fields[name] for name in names or Settings.model_fields}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def command(*, config: str | None, **given: Any) -> None:
            settings = {name: _joined(given.pop(name)) for name in fields}
            try:
                file = config_file(config)
            except SettingsError as error:
                fail(str(error), code=2)
            function(Flags(file, settings), **given)

        options = {name: _option(name, field) for name, field in fields.items()}
        options["config"] = CONFIG
        parameters = [
            *list(inspect.signature(function).parameters.values())[1:],
            *(
                inspect.Parameter(
                    name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option
                )
                for name, option in options.items()
            ),
        ]
        command.__name__ = function.__name__
        command.__doc__ = function.__doc__
        # Typer reads both.
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


LISTS = ("host", "model")
"""Options that may be given more than once, instead of with commas."""


def _joined(value: Any) -> Any:
    if isinstance(value, list):
        return ",".join(value) if value else None
    return value


def config_file(given: str | None) -> Path | None:
    """The file that was given. Raises `SettingsError`."""
    if given is None:
        return None
    try:
        return Path(expanded(given))
    except ValueError as error:
        raise SettingsError(f"The configuration file cannot be used: {error}.") from None


def _option(name: str, field: FieldInfo) -> Any:
    """The field as Typer takes options; the help names its default, as None stands for that."""
    help_text = field.description or ""
    if field.default not in (None, False) and field.default_factory is None:
        help_text += f" [default: {field.default}]"
    if field.annotation is bool:
        return Annotated[bool | None, typer.Option(f"--{name.replace('_', '-')}", help=help_text)]
    if name in LISTS:
        return Annotated[list[str] | None, typer.Option(help=help_text)]
    plain = _plain(field.annotation)
    if plain is Path:
        # Typer would make the folder "." of an empty text.
        return Annotated[str | None, typer.Option(help=help_text, metavar="PATH")]
    return Annotated[plain | None, typer.Option(help=help_text)]


def _plain(annotation: Any) -> Any:
    """A type that Typer knows; what it lets through, `Settings` still checks."""
    choices = [each for each in get_args(annotation) if each is not type(None)]
    if not choices:
        return annotation
    return choices[0] if isinstance(choices[0], type) else type(choices[0])
