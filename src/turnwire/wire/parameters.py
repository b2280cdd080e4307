"""The parameters of a session: how it is asked for, in the query string or by message.

Each field is one row: name, type, range, what it does, and whether this server does it. The names
in `LiveParameters` may also be changed while the session runs. Unknown names are ignored, because
clients send names that only newer servers know; a value that a known name cannot have ends the
session.

A parameter of the protocol that this server does nothing about is marked (`turnwire.wire.marks`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from turnwire.wire.closure import Violation
from turnwire.wire.closures import INVALID_PARAMETER
from turnwire.wire.encodings import Encoding
from turnwire.wire.limits import (
    LONGEST_SESSION_SECONDS,
    LONGEST_TOKEN_SECONDS,
    LONGEST_TURN_MS,
    SHORTEST_SESSION_SECONDS,
    SHORTEST_TURN_MS,
)
from turnwire.wire.marks import NoEffect, Only, Refused, WhereServed
from turnwire.wire.models import MODELS, Family
from turnwire.wire.presets import BY_MODE, Mode
from turnwire.wire.values import (
    AudioEncoding,
    Context,
    FocusThreshold,
    HeaderName,
    HeaderValue,
    JsonObject,
    Languages,
    Mono,
    Names,
    SampleRate,
    Silence,
    Terms,
    Unit,
    WebhookUrl,
    Whole,
)

_PRESETS = "; ".join(
    f"`{mode}`: {preset.min_turn_silence}, {preset.max_turn_silence}, {preset.interruption_delay}"
    for mode, preset in BY_MODE.items()
)
_ONE_VOICE = "this server does not tell speakers apart"
_NO_REDACTION = "this server does not redact"
_NO_FOCUS = "this server does not filter audio before it is transcribed"
_NO_WEBHOOK = "this server does not call webhooks"


class LiveParameters(BaseModel):
    """What `UpdateConfiguration` may change; None leaves it as it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format_turns: Annotated[
        bool | None,
        Only(Family.UNIVERSAL_STREAMING),
        Field(description="Send each finished turn a second time, cased and punctuated."),
    ] = None
    end_of_turn_confidence_threshold: Annotated[
        Unit | None,
        Only(Family.UNIVERSAL_STREAMING),
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
        Only(Family.UNIVERSAL_3, refused_elsewhere=True),
        Field(
            description="Sets `min_turn_silence`, `max_turn_silence` and "
            f"`interruption_delay` where those are not given: {_PRESETS}."
        ),
    ] = None
    interruption_delay: Annotated[
        Annotated[Whole, Field(ge=0, le=1000)] | None,
        Only(Family.UNIVERSAL_3),
        Field(
            description="A turn's first partial comes after so many ms of "
            "speech and 256 more; 0 to 1,000."
        ),
    ] = None
    continuous_partials: Annotated[
        bool | None,
        Only(Family.UNIVERSAL_3),
        Field(
            description="Partials about every second while someone speaks "
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
        Only(Family.UNIVERSAL_3, refused_elsewhere=True),
        Field(
            description="What the session is about, at most 1,750 characters. "
            "The first 40 words or so are heeded; they are context, not commands."
        ),
    ] = None
    max_turn_duration: Annotated[
        Annotated[Whole, Field(ge=SHORTEST_TURN_MS, le=LONGEST_TURN_MS)] | None,
        Field(
            description="Longest turn in ms: speech that goes on for longer is divided at the "
            f"widest gap between words; {SHORTEST_TURN_MS:,} to {LONGEST_TURN_MS:,}."
        ),
    ] = None
    turn_left_pad_ms: Annotated[
        Annotated[Whole, Field(ge=0)] | None,
        NoEffect("how much audio before a turn is transcribed with it is fixed"),
        Field(description="Audio in ms before a turn that is transcribed with it."),
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
            description="The languages that may be spoken, a JSON array of at most 10 codes "
            "(`en`, `en-US` or `en_us`); without effect if the model loaded knows English alone."
        ),
    ] = None


class ConnectionParameters(LiveParameters):
    """What a connection may ask for in its query string; None is the model's default."""

    sample_rate: Annotated[
        SampleRate,
        Field(
            description="Samples per second of the audio; 8,000 to 96,000. Compressed audio says "
            "so itself, and then this is ignored."
        ),
    ] = 16_000
    encoding: Annotated[
        AudioEncoding,
        Field(
            description="How audio is written: `pcm_s16le` or `pcm_mulaw`, mono; `opus`, one raw "
            "packet a message; `ogg_opus` or `aac` (ADTS), a stream split anywhere."
        ),
    ] = Encoding.PCM_S16LE
    channels: Annotated[Mono, Field(description="Refused unless 1: audio is mono.")] = 1
    speech_model: Annotated[
        str | None,
        Field(
            description="The loaded model serves every name; the name decides how turns look, and "
            f"is echoed in `Begin`. One of {', '.join(f'`{name}`' for name in MODELS)}, or the "
            "name of the model that is loaded. Without it, `Begin` names the Universal-Streaming "
            "model that comes closest to the one loaded."
        ),
    ] = None
    language: Annotated[
        Literal["en", "multi"] | None,
        Field(description="An older way to say `language_code`."),
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
    recording: Annotated[
        bool,
        Field(
            description="The audio is a recording. It is heard as fast as this server has time for "
            "it, beside its live sessions: what may be ahead is counted from what was heard, which "
            "`Progress` says, and a client should stay within the `recording_window_ms` of "
            "`Begin`. Partial turns are hardly made. A parameter of this server's own."
        ),
    ] = False
    inactivity_timeout: Annotated[
        Annotated[Whole, Field(ge=5, le=3600)] | None,
        Field(description="Seconds without any message after which the session ends; 5 to 3,600."),
    ] = None
    session_warnings: Annotated[
        bool,
        Field(
            description="Send a `Warning` ahead of a closure, whose code it names: a minute before "
            "expiry, at half of `inactivity_timeout`, at half of what audio may be ahead of time, "
            "and when chunks are too short. Also where a parameter has no effect, and where audio "
            "seems to be something else than was declared, or another language is spoken than the "
            "session writes and a model is loaded that knows it."
        ),
    ] = False
    previous_context_n_turns: Annotated[
        Annotated[Whole, Field(ge=0, le=100)] | None,
        NoEffect("the last forty words or so are always the context of those that follow"),
        Field(description="How many finished turns are context of the next one; 0 to 100."),
    ] = None
    domain: Annotated[
        Literal["medical-v1"] | None,
        NoEffect("the model is the same for all domains"),
        Field(description="`medical-v1`: what the audio is about."),
    ] = None
    voice_focus: Annotated[
        Literal["near-field", "far-field"] | None,
        NoEffect(_NO_FOCUS),
        Field(
            description="`near-field` or `far-field`: the voice to keep when noise is removed.",
            validation_alias=AliasChoices("voice_focus", "noise_suppression_model"),
        ),
    ] = None
    voice_focus_threshold: Annotated[
        FocusThreshold,
        NoEffect(_NO_FOCUS),
        Field(
            description="How much is removed, 0 to 1; an error without `voice_focus`.",
            validation_alias=AliasChoices("voice_focus_threshold", "noise_suppression_threshold"),
        ),
    ] = None
    speaker_labels: Annotated[
        bool,
        Refused(_ONE_VOICE),
        Field(description="Say who speaks."),
    ] = False
    max_speakers: Annotated[
        Annotated[Whole, Field(ge=1, le=10)] | None,
        NoEffect(_ONE_VOICE),
        Field(description="How many speakers there are at most; 1 to 10."),
    ] = None
    speaker_labels_revision_interval_ms: Annotated[
        Annotated[Whole, Field(ge=0, le=86_400_000)] | None,
        NoEffect(_ONE_VOICE),
        Field(description="How often speaker labels are revised; 0 to 86,400,000."),
    ] = None
    redact_pii: Annotated[
        bool,
        Refused(_NO_REDACTION),
        Field(description="Hide personal information in finished turns."),
    ] = False
    redact_pii_policies: Annotated[
        Names | None,
        NoEffect(_NO_REDACTION),
        Field(description="What is hidden: a JSON array of names, or names with commas between."),
    ] = None
    redact_pii_sub: Annotated[
        Literal["hash", "entity_name"] | None,
        NoEffect(_NO_REDACTION),
        Field(description="`hash` or `entity_name`: what is put in its place."),
    ] = None
    webhook_url: Annotated[
        WebhookUrl,
        WhereServed(_NO_WEBHOOK),
        Field(
            description="Where to post the finished turns once the session has ended "
            "([how](webhooks.md)); http or https, at most 2,048 characters."
        ),
    ] = None
    webhook_auth_header_name: Annotated[
        HeaderName,
        WhereServed(_NO_WEBHOOK),
        Field(description="The name of a header to post them with, at most 128 characters."),
    ] = None
    webhook_auth_header_value: Annotated[
        HeaderValue,
        WhereServed(_NO_WEBHOOK),
        Field(
            description="Its value, at most 1,024 characters of ASCII; an error without "
            "`webhook_auth_header_name`."
        ),
    ] = None
    llm_gateway: Annotated[
        JsonObject | None,
        Refused("this server asks no language model"),
        Field(description="What to ask a language model about each turn; a JSON object."),
    ] = None
    customer_support_audio_capture: Annotated[
        bool,
        NoEffect("this server records no audio"),
        Field(
            description="Record the audio for the vendor's support.",
            validation_alias=AliasChoices(
                "_customer_support_audio_capture", "customer_support_audio_capture"
            ),
        ),
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


def validated(named: Mapping[str, Any]) -> ConnectionParameters:
    """Raises `Violation` for the first bad value."""
    try:
        return ConnectionParameters.model_validate(named)
    except ValidationError as error:
        raise Violation(INVALID_PARAMETER.fill(**describe(error))) from None


def describe(error: ValidationError) -> dict[str, str]:
    """What is wrong with the first bad value, as `INVALID_PARAMETER` wants it."""
    first = error.errors(include_url=False, include_input=False)[0]
    return {"name": ".".join(map(str, first["loc"])), "detail": first["msg"]}


def names_of(field: str) -> tuple[str, ...]:
    """All names that a parameter has on the wire."""
    alias = ConnectionParameters.model_fields[field].validation_alias
    return tuple(map(str, alias.choices)) if isinstance(alias, AliasChoices) else (field,)


_FIELDS = {name: field for field in ConnectionParameters.model_fields for name in names_of(field)}


def field_of(name: str) -> str | None:
    """The parameter that has this name on the wire; None for one that is not known."""
    return _FIELDS.get(name)
