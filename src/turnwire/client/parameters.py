"""The parameters of a connection by name and type, for those who write code.

What each does: docs/protocol.md. A name that a newer server knows and this list does not goes into
the query of the server's URL.
"""

from collections.abc import Iterable, Mapping
from typing import TypedDict


class LiveParameters(TypedDict, total=False):
    """What can be changed while a stream lasts; None leaves it as it is."""

    format_turns: bool | None
    end_of_turn_confidence_threshold: float | None
    min_turn_silence: int | None
    max_turn_silence: int | None
    vad_threshold: float | None
    mode: str | None
    interruption_delay: int | None
    continuous_partials: bool | None
    filter_profanity: bool | None
    session_heartbeat: bool | None
    acknowledge_silence: bool | None
    keyterms_prompt: list[str] | None
    prompt: str | None
    agent_context: str | None
    language_codes: list[str] | None
    max_turn_duration: float | None
    turn_left_pad_ms: int | None


class Parameters(LiveParameters, total=False):
    """What a connection may ask for; None is the server's default."""

    sample_rate: int | None
    encoding: str | None
    channels: int | None
    speech_model: str | None
    language: str | None
    language_code: str | None
    language_detection: bool | None
    include_partial_turns: bool | None
    recording: bool | None
    inactivity_timeout: int | None
    session_warnings: bool | None
    speaker_labels: bool | None
    max_speakers: int | None
    speaker_labels_revision_interval_ms: int | None
    domain: str | None
    previous_context_n_turns: int | None
    redact_pii: bool | None
    redact_pii_policies: list[str] | None
    redact_pii_sub: str | None
    voice_focus: str | None
    voice_focus_threshold: float | None
    webhook_url: str | None
    webhook_auth_header_name: str | None
    webhook_auth_header_value: str | None
    llm_gateway: Mapping[str, object] | None
    customer_support_audio_capture: bool | None


def check_names(function: str, given: Iterable[str], known: type, options: Iterable[str]) -> None:
    """Raises TypeError for a name that is neither a parameter nor an option of this function."""
    names = [*options, *known.__annotations__]
    for name in given:
        if name not in names:
            import difflib  # Only for this.

            close = difflib.get_close_matches(name, names, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{function}() has no parameter {name!r}{meant}")
