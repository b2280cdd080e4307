"""For each parameter of the protocol a value that is right, one that is wrong, and an odd one."""

import json
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Values:
    right: str
    wrong: str
    odd: str
    odd_is_taken: bool = False
    beside: tuple[tuple[str, str], ...] = ()
    """What has to be asked for with it."""


_TRUTH = Values("True", "yes please", "1", odd_is_taken=True)
_UNIT = Values("0.5", "1.01", "1e-1", odd_is_taken=True)
_SILENCE = Values("160", "160.0", "+70", odd_is_taken=True)
_CONTEXT = Values("A talk about ships.", "x" * 1751, "x" * 1749 + "é", odd_is_taken=True)
_TERMS = Values('["Ada"]', "Ada,Grace", json.dumps(["x" * 51]), odd_is_taken=True)
_REFUSED_TRUTH = Values("False", "True", "0", odd_is_taken=True)
_NAMED_HEADER = (("webhook_auth_header_name", "Authorization"),)
_UNIVERSAL_3 = (("speech_model", "u3-rt-pro"),)
_FOCUS = Values("near-field", "near", "NEAR-FIELD")
_FOCUSED = (("voice_focus", "far-field"),)

VALUES = {
    "sample_rate": Values("8000", "7999", "96001"),
    "encoding": Values("pcm_mulaw", "flac", "PCM_S16LE"),
    "channels": Values("1", "2", "mono"),
    "speech_model": Values("whisper-rt", "3", "tiny.en", odd_is_taken=True),
    "language": Values("multi", "de", "EN"),
    "language_code": Values("en", "english", "en-US", odd_is_taken=True),
    "language_codes": Values('["en", "es"]', "en,es", "en_us", odd_is_taken=True),
    "language_detection": _TRUTH,
    "format_turns": _TRUTH,
    "filter_profanity": _TRUTH,
    "include_partial_turns": _TRUTH,
    "recording": _TRUTH,
    "session_heartbeat": _TRUTH,
    "session_warnings": _TRUTH,
    "acknowledge_silence": _TRUTH,
    "continuous_partials": _TRUTH,
    "customer_support_audio_capture": _TRUTH,
    "_customer_support_audio_capture": _TRUTH,
    "end_of_turn_confidence_threshold": _UNIT,
    "vad_threshold": _UNIT,
    "min_turn_silence": _SILENCE,
    "min_end_of_turn_silence_when_confident": _SILENCE,
    "max_turn_silence": _SILENCE,
    "max_turn_duration": Values("30000", "60", "60.0"),
    "turn_left_pad_ms": Values("200", "-1", "200ms"),
    "interruption_delay": Values("500", "1001", "-0", odd_is_taken=True),
    "previous_context_n_turns": Values("5", "101", "-1"),
    "inactivity_timeout": Values("30", "4", "30s"),
    "mode": Values("balanced", "fast", "Balanced", beside=_UNIVERSAL_3),
    "prompt": replace(_CONTEXT, beside=_UNIVERSAL_3),
    "agent_context": _CONTEXT,
    "keyterms_prompt": _TERMS,
    "keyterms": _TERMS,
    "domain": Values("medical-v1", "medical", "MEDICAL-V1"),
    "voice_focus": _FOCUS,
    "noise_suppression_model": _FOCUS,
    "voice_focus_threshold": Values("0.5", "2", "nan", beside=_FOCUSED),
    "noise_suppression_threshold": Values("0.5", "2", "inf", beside=_FOCUSED),
    "speaker_labels": _REFUSED_TRUTH,
    "max_speakers": Values("2", "11", "0"),
    "speaker_labels_revision_interval_ms": Values("0", "86400001", "1", odd_is_taken=True),
    "redact_pii": _REFUSED_TRUTH,
    "redact_pii_policies": Values('["person_name"]', "[1]", "person_name,date", odd_is_taken=True),
    "redact_pii_sub": Values("hash", "mask", "entity"),
    "webhook_url": Values("", "ftp://example.com/hook", "https://me:secret@example.com/"),
    "webhook_auth_header_name": Values("X-Hook", "X Hook", "Host"),
    "webhook_auth_header_value": Values("Bearer x", "a\nb", "x" * 1025, beside=_NAMED_HEADER),
    "llm_gateway": Values("{}", '{"model": "x", "messages": []}', "[]"),
}
