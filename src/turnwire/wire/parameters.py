"""The parameters of a session: how it is asked for, in the query string or by message.

Each field is one row: name, type, range, what it does. The names in `LiveParameters` may also be
changed while the session runs. Unknown names are ignored, because clients send names that only
newer servers know; a value that a known name cannot have ends the session.

What this server cannot do has no row, and asking for it is harmless, with one exception:
`redact_pii` is refused, because a client that relies on it would store what it must not.
"""

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from turnwire.wire.closures import INVALID_PARAMETER, Violation
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import (
    LONGEST_SESSION_SECONDS,
    LONGEST_TOKEN_SECONDS,
    SHORTEST_SESSION_SECONDS,
)
from turnwire.wire.presets import BY_MODE, Mode


class Family(StrEnum):
    """How a model's turns look on the wire."""

    UNIVERSAL_STREAMING = "universal-streaming"
    UNIVERSAL_3 = "universal-3"
    WHISPER = "whisper"


LANGUAGES = (
    *("en", "es", "de", "fr", "it", "pt", "tr", "nl", "sv", "no", "da", "fi", "hi", "vi", "ar"),
    *("he", "ja", "ur", "zh", "ru", "ko", "ca", "gl", "ro", "et", "fa", "yue", "af", "mr", "zu"),
    *("xh", "nn", "multi"),
)
"""The codes that clients may name; `multi` is any of them."""


_FAMILY_NAMES = {
    Family.UNIVERSAL_STREAMING: r"universal-streaming.*",
    Family.UNIVERSAL_3: r"_?universal-3.*|u3.*",
    Family.WHISPER: r"whisper.*",
}
"""Model names as clients send them. New ones of a family keep working without a change here."""


def requested_family(parameters: "ConnectionParameters", *, loaded: str) -> Family:
    """The family of the model that was asked for; raises `Violation` for a name of none.

    `loaded` is the model that serves them all, and a name for itself.
    """
    name = parameters.speech_model
    if name is None or name == loaded:
        return Family.UNIVERSAL_STREAMING
    for family, names in _FAMILY_NAMES.items():
        if re.fullmatch(names, name):
            return family
    raise Violation(
        INVALID_PARAMETER.fill(
            name="speech_model",
            detail=f"{name!r} is neither a model of this protocol nor {loaded!r}, loaded here",
        )
    )


_UNIVERSAL_3_ONLY = ("mode", "prompt")
"""What a session of another family is refused for; other such parameters change nothing there."""


def check_family(parameters: "LiveParameters", family: Family, model: str) -> None:
    """Raises `Violation` for a parameter that a session with this model must not have."""
    for name in _UNIVERSAL_3_ONLY:
        if getattr(parameters, name) and family is not Family.UNIVERSAL_3:
            raise Violation(
                INVALID_PARAMETER.fill(
                    name=name,
                    detail=f"Value error, {name} is only supported with the 'u3-rt-pro' "
                    f"speech_model. Current speech_model: {model!r}",
                )
            )


def _whole_number(value: Any) -> Any:
    # Stricter than pydantic, which reads "160.0" too: on the wire it is refused, in these words.
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise ValueError(f"invalid literal for int() with base 10: {value!r}")
    return int(value) if isinstance(value, str) else value


def _json_list(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, list):
        raise ValueError("Invalid JSON array")
    return parsed


def _at_most_100(value: list[str]) -> list[str]:
    if len(value) > 100:
        raise ValueError("Max 100 items")
    return value


def _short_enough(value: list[str]) -> list[str]:
    # Longer ones are no error: the protocol has them ignored.
    return [term for term in value if len(term) <= 50]


def _context(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and len(value) > 1750:
        raise ValueError(
            f"{info.field_name} exceeds maximum length of 1750 characters (got {len(value)})"
        )
    return value


def _no_redaction(value: bool) -> bool:
    if value:
        raise ValueError("this server does not redact")
    return value


def _encoding(value: Any) -> Any:
    # In these words, which are not pydantic's.
    return Encoding(value)


def _clamped_silence(value: Any) -> Any:
    number = _whole_number(value)
    return min(max(number, 50), 10_000) if isinstance(number, int) else number


def _sample_rate(value: Any) -> Any:
    rate = _whole_number(value)
    if isinstance(rate, int) and rate < 8_000:
        raise ValueError("sample_rate must be at least 8,000 Hz")
    if isinstance(rate, int) and rate > 96_000:
        raise ValueError("sample_rate must be at most 96,000 Hz")
    return rate


def _listed(value: Any) -> Any:
    try:
        return _json_list(value)
    except ValueError:
        return [value]


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"{value!r} is not a valid language code")
    return value


def _many_alone(value: list[str]) -> list[str]:
    if len(value) > 10:
        raise ValueError("Max 10 items")
    if "multi" in value and len(value) > 1:
        raise ValueError("'multi' must be the only item")
    return value


_PRESETS = "; ".join(
    f"`{mode}`: {preset.min_turn_silence}, {preset.max_turn_silence}, {preset.interruption_delay}"
    for mode, preset in BY_MODE.items()
)

Whole = Annotated[int, BeforeValidator(_whole_number)]
Terms = Annotated[
    list[str],
    BeforeValidator(_json_list),
    AfterValidator(_at_most_100),
    AfterValidator(_short_enough),
]
Languages = Annotated[
    list[Annotated[str, AfterValidator(_language)]],
    BeforeValidator(_listed),
    AfterValidator(_many_alone),
]
Context = Annotated[str, BeforeValidator(_context)]
Silence = Annotated[int, BeforeValidator(_clamped_silence)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class LiveParameters(BaseModel):
    """What `UpdateConfiguration` may change; None leaves it as it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format_turns: Annotated[
        bool | None,
        Field(description="Send each finished turn a second time, cased and punctuated."),
    ] = None
    end_of_turn_confidence_threshold: Annotated[
        Unit | None,
        Field(
            description="How sure the end of a turn must be to end it at `min_turn_silence`; "
            "0 always is, 1 never."
        ),
    ] = None
    min_turn_silence: Annotated[
        Silence | None,
        Field(
            description="Silence in ms that ends a turn which seems complete; 50 to 10,000.",
            validation_alias=AliasChoices(
                "min_turn_silence", "min_end_of_turn_silence_when_confident"
            ),
        ),
    ] = None
    max_turn_silence: Annotated[
        Silence | None,
        Field(description="Silence in ms that always ends a turn; 50 to 10,000."),
    ] = None
    vad_threshold: Annotated[
        Unit | None,
        Field(description="Audio whose probability of speech is below this counts as silence."),
    ] = None
    mode: Annotated[
        Mode | None,
        Field(
            description="Universal-3 only: sets `min_turn_silence`, `max_turn_silence` and "
            f"`interruption_delay` where those are not given: {_PRESETS}."
        ),
    ] = None
    interruption_delay: Annotated[
        Annotated[Whole, Field(ge=0, le=1000)] | None,
        Field(
            description="Universal-3 only: a turn's first partial comes after so many ms of "
            "speech and 256 more; 0 to 1,000."
        ),
    ] = None
    continuous_partials: Annotated[
        bool | None,
        Field(
            description="Universal-3 only: partials about every second while someone speaks "
            "(the default), else every three."
        ),
    ] = None
    filter_profanity: Annotated[
        bool | None,
        Field(description="Write `***` for profane English words."),
    ] = None
    session_heartbeat: Annotated[
        bool | None,
        Field(description="Send a `Heartbeat` every five seconds."),
    ] = None
    acknowledge_silence: Annotated[
        bool | None,
        Field(description="Send a `Silence` about once a second of audio while nobody speaks."),
    ] = None
    keyterms_prompt: Annotated[
        Terms | None,
        Field(
            description="Names and words to listen for, a JSON array of at most 100, the most "
            "important first: a dozen or so are heeded, none over 50 characters.",
            validation_alias=AliasChoices("keyterms_prompt", "keyterms"),
        ),
    ] = None
    prompt: Annotated[
        Context | None,
        Field(
            description="Universal-3 only: what the session is about, at most 1,750 characters. "
            "The first 40 words or so are heeded; they are context, not commands."
        ),
    ] = None
    agent_context: Annotated[
        Context | None,
        Field(
            description="What a voice agent said last, at most 1,750 characters; the last 40 words "
            "or so are heeded."
        ),
    ] = None

    language_codes: Annotated[
        Languages | None,
        Field(
            description="The languages that may be spoken, a JSON array of at most 10 codes; "
            "without effect if the model loaded knows English alone."
        ),
    ] = None


class ConnectionParameters(LiveParameters):
    """What a connection may ask for in its query string; None is the model's default."""

    sample_rate: Annotated[
        Annotated[int, BeforeValidator(_sample_rate)],
        Field(
            description="Samples per second of the audio; 8,000 to 96,000. Compressed audio says "
            "so itself, and then this is ignored."
        ),
    ] = 16_000
    encoding: Annotated[
        Annotated[Encoding, BeforeValidator(_encoding)],
        Field(
            description="How audio is written: `pcm_s16le` or `pcm_mulaw`, mono; `opus`, one raw "
            "packet a message; `ogg_opus` or `aac` (ADTS), a stream split anywhere."
        ),
    ] = Encoding.PCM_S16LE
    speech_model: Annotated[
        str | None,
        Field(
            description="A model name as clients know them. The loaded model serves them all; "
            "the name decides how turns look, and is echoed in `Begin`."
        ),
    ] = None
    language_code: Annotated[
        Languages | None,
        Field(description="The same for one language; `language_codes` wins."),
    ] = None
    language_detection: Annotated[
        bool,
        Field(
            description="Say in `language_code` and `language_confidence` which language was "
            "spoken, where an utterance or a turn ends. A model for English alone says `en`, 1.0."
        ),
    ] = False
    include_partial_turns: Annotated[
        bool,
        Field(description="Whether turns are sent before they are over."),
    ] = True
    inactivity_timeout: Annotated[
        Annotated[Whole, Field(ge=5, le=3600)] | None,
        Field(description="Seconds without any message after which the session ends; 5 to 3,600."),
    ] = None
    session_warnings: Annotated[
        bool,
        Field(
            description="Send a `Warning` ahead of a closure, whose code it names: a minute before "
            "expiry, at half of `inactivity_timeout`, at half of what audio may be ahead of time, "
            "and for a chunk too short that is let pass."
        ),
    ] = False
    redact_pii: Annotated[
        Annotated[bool, AfterValidator(_no_redaction)],
        Field(description="Refused when true: this server does not redact."),
    ] = False

    def updated(self, changes: LiveParameters) -> "ConnectionParameters":
        """With everything that `changes` names; what is None there stays."""
        named = {name: getattr(changes, name) for name in LiveParameters.model_fields}
        return self.model_copy(
            update={name: value for name, value in named.items() if value is not None}
        )


class TokenRequest(BaseModel):
    """What a temporary token may be asked for with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    expires_in_seconds: Annotated[
        Annotated[Whole, Field(ge=1, le=LONGEST_TOKEN_SECONDS)],
        Field(description="How long the token may be used to open its session; 1 to 600."),
    ]
    max_session_duration_seconds: Annotated[
        Annotated[Whole, Field(ge=SHORTEST_SESSION_SECONDS, le=LONGEST_SESSION_SECONDS)],
        Field(description="How long that session may last; 60 to 10,800."),
    ] = LONGEST_SESSION_SECONDS


def parse_query(query: Iterable[tuple[str, str]]) -> ConnectionParameters:
    """The parameters of a decoded query string; raises `Violation` for the first bad value."""
    query = list(query)
    named: dict[str, Any] = dict(query)
    codes = [value for name, value in query if name == "language_codes"]
    if len(codes) > 1:
        named["language_codes"] = codes  # the one list that some clients send piece by piece
    try:
        return ConnectionParameters.model_validate(named)
    except ValidationError as error:
        raise Violation(INVALID_PARAMETER.fill(**describe(error))) from None


def describe(error: ValidationError) -> dict[str, str]:
    """What is wrong with the first bad value, as `INVALID_PARAMETER` wants it."""
    first = error.errors(include_url=False, include_input=False)[0]
    return {"name": ".".join(map(str, first["loc"])), "detail": first["msg"]}
