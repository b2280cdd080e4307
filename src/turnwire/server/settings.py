"""Everything that can be set about a server: by flag, by environment, or in a TOML file.

A flag wins over the environment, the environment over the file. `turnwire serve --help` and
docs/configuration.md are made from the fields below.
"""

import socket
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import platformdirs
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from turnwire.session.options import AHEAD_SECONDS

PREFIX = "TURNWIRE_"


class SettingsError(Exception):
    """A setting has a value it cannot have; the text is one sentence for the operator."""


class Settings(BaseSettings):
    """The settings of one server."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    config_file: ClassVar[Path | None] = None

    host: Annotated[
        str, Field(description="Address to listen on; 0.0.0.0 is every network of this machine.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    ] = 8080
    tls_cert: Annotated[
        Path | None,
        Field(
            description="Serve wss and https with this certificate, a PEM file with its chain; "
            "tls_key is its key."
        ),
    ] = None
    tls_key: Annotated[
        Path | None, Field(description="The key of tls_cert, a PEM file without a password.")
    ] = None
    tls_self_signed: Annotated[
        bool,
        Field(
            description="Serve wss and https with a certificate of the server's own making, and "
            "say how clients trust it."
        ),
    ] = False
    model: Annotated[
        str,
        Field(
            description="tiny.en comes with the package. Any other Whisper size is fetched by its "
            "name (base.en, small, ...); a folder with a CTranslate2 model works offline."
        ),
    ] = "tiny.en"
    data_dir: Annotated[
        Path,
        Field(
            default_factory=lambda: platformdirs.user_data_path("turnwire"),
            description="Where accounts, keys and the ledger are kept. Default: your user data "
            "directory.",
        ),
    ]
    database: Annotated[
        str | None,
        Field(
            description="Keep them in this database instead, such as "
            "postgresql+asyncpg://user@host/turnwire (needs turnwire[postgresql])."
        ),
    ] = None
    no_auth: Annotated[
        bool,
        Field(description="Let anybody in, whatever key they bring, and keep no ledger."),
    ] = False
    max_sessions: Annotated[
        int | None,
        Field(
            ge=1,
            description="Sessions at once; further ones are refused with 1013. Default: as many "
            "as the server finds that it can hold.",
        ),
    ] = None
    ahead_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="How many seconds audio may be ahead of real time before the session ends "
            "with 3007; from half of it on the client is slowed down.",
        ),
    ] = AHEAD_SECONDS
    reusable_tokens: Annotated[
        bool,
        Field(description="Let a temporary token open sessions until it expires, not only one."),
    ] = False
    too_many_sessions_code: Annotated[
        Literal[3009, 1008],
        BeforeValidator(int),
        Field(description="The close code for too many sessions; some deployments send 1008."),
    ] = 3009
    rehearse: Annotated[
        bool,
        Field(
            description="Let clients have any closure or fault happen, below /rehearse. For tests."
        ),
    ] = False
    node: Annotated[
        str,
        Field(
            default_factory=lambda data: f"{socket.gethostname()}:{data['port']}",
            description="Name by which people know this server among those that share a "
            "database; the ledger has it. Default: the host's name and the port.",
        ),
    ]

    reclaim: Annotated[
        bool,
        Field(
            description="At the start, free what an earlier server of this node's name left open, "
            "rather than wait 15 s for its leases to lapse. No other may run under that name."
        ),
    ] = False
    outage_seconds: Annotated[
        float,
        Field(
            ge=15,
            description="How many seconds open sessions go on while the database cannot be "
            "reached.",
        ),
    ] = 300.0

    @model_validator(mode="after")
    def _has_one_certificate(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: give both or neither")
        if self.tls_self_signed and self.tls_cert is not None:
            raise ValueError("give tls_cert and tls_key, or tls_self_signed, not both")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = TomlConfigSettingsSource(settings_cls, cls.config_file)
        return init_settings, env_settings, file


def load_settings(config: Path | None = None, **flags: object) -> Settings:
    """The settings of this process; a flag that is None was not given.

    Raises `SettingsError`.
    """
    if config is not None and not config.is_file():
        raise SettingsError(f"There is no configuration file {config}.")

    class FromFile(Settings):
        config_file = config

    try:
        return FromFile(**{name: flag for name, flag in flags.items() if flag is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        what = f"The setting {name!r}" if name else "These settings"
        why = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{what} cannot be used: {why}.") from None
    except ValueError as error:
        raise SettingsError(f"{config} is not a TOML file: {error}.") from None
