"""The types of parameters: what a value may look like on the wire, and what it must not be."""

import json
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    TypeAdapter,
    UrlConstraints,
    ValidationError,
    ValidationInfo,
)

from turnwire.wire.encodings import Encoding

LANGUAGES = (
    *("en", "es", "de", "fr", "it", "pt", "tr", "nl", "sv", "no", "da", "fi", "hi", "vi", "ar"),
    *("he", "ja", "ur", "zh", "ru", "ko", "ca", "gl", "ro", "et", "fa", "yue", "af", "mr", "zu"),
    *("xh", "nn", "multi"),
)
"""The codes that clients may name; `multi` is any of them."""

MOST_TERMS = 100
LONGEST_TERM = 50
LONGEST_CONTEXT = 1750
"""Characters of `prompt` and of `agent_context`."""

LONGEST_URL = 2048
LONGEST_HEADER_NAME = 128
LONGEST_HEADER_VALUE = 1024

_WRITTEN_BYTES = 16
"""The longest way to write a character in a query string: JSON's two escapes of four digits, their
backslashes in percent-encoding."""

_OTHER_BYTES = 4096 + 3 * (LONGEST_URL + LONGEST_HEADER_NAME + LONGEST_HEADER_VALUE)
"""Room for all other parameters, a token among them, and a webhook in percent-encoding."""

LONGEST_QUERY = (
    MOST_TERMS * (LONGEST_TERM * _WRITTEN_BYTES + len("%22%22%2C"))
    + 2 * LONGEST_CONTEXT * _WRITTEN_BYTES
    + _OTHER_BYTES
)
"""Bytes of the largest query string that asks for something legal."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_OWN_HEADERS = {
    *("connection", "content-encoding", "content-length", "content-type", "expect", "host"),
    *("keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    *("webhook-id", "webhook-signature", "webhook-timestamp"),
}
"""What a request says of itself, and no client may say for it."""

_URL = TypeAdapter[AnyHttpUrl](
    Annotated[AnyHttpUrl, UrlConstraints(max_length=LONGEST_URL, allowed_schemes=["http", "https"])]
)

_LANGUAGE_TAG = re.compile(r"([a-z]{2,5})(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)


def _whole_number(value: Any) -> Any:
    # Stricter than pydantic, which reads "160.0" too: on the wire it is refused, in these words.
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise ValueError(f"invalid literal for int() with base 10: {value!r}")
    return int(value) if isinstance(value, str) else value


def _parsed(value: Any, kind: type) -> Any:
    """A value that is JSON if it is text, as it is in a query string."""
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, kind):
        raise ValueError(f"Invalid JSON {'array' if kind is list else 'object'}")
    return parsed


def _json_list(value: Any) -> Any:
    return _parsed(value, list)


def _json_object(value: Any) -> Any:
    return _parsed(value, dict)


def _not_too_many(value: list[str]) -> list[str]:
    if len(value) > MOST_TERMS:
        raise ValueError(f"Max {MOST_TERMS} items")
    return value


def _short_enough(value: list[str]) -> list[str]:
    # Longer ones are no error: the protocol has them ignored.
    return [term for term in value if len(term) <= LONGEST_TERM]


def _context(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_CONTEXT:
        raise ValueError(
            f"{info.field_name} exceeds maximum length of {LONGEST_CONTEXT} characters "
            f"(got {len(value)})"
        )
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


def _one_channel(value: int) -> int:
    if value != 1:
        raise ValueError("audio must be mono; open a session for each channel, or mix them")
    return value


def _listed(value: Any) -> Any:
    try:
        return _json_list(value)
    except ValueError:
        return [value]


def _comma_separated(value: Any) -> Any:
    try:
        return _json_list(value)
    except ValueError:
        return str(value).split(",")


def _language(value: str) -> str:
    # Codes come with a region, too: en-US, en_us.
    tag = _LANGUAGE_TAG.fullmatch(value)
    if tag is None or tag[1].lower() not in LANGUAGES:
        raise ValueError(f"{value!r} is not a valid language code")
    return tag[1].lower()


def _many_alone(value: list[str]) -> list[str]:
    if len(value) > 10:
        raise ValueError("Max 10 items")
    if "multi" in value and len(value) > 1:
        raise ValueError("'multi' must be the only item")
    return value


def _beside_voice_focus(value: float | None, info: ValidationInfo) -> float | None:
    if value is not None and info.data.get("voice_focus") is None:
        raise ValueError("voice_focus_threshold requires voice_focus")
    return value


def _http_url(value: Any) -> str | None:
    if value is None or value == "":
        return None
    try:
        url = _URL.validate_python(value)
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"]) from None
    if url.username is not None or url.password is not None:
        raise ValueError("a URL has no credentials here; give a header for them")
    return str(url)


def _header_name(value: str | None) -> str | None:
    if value is None:
        return None
    if len(value) > LONGEST_HEADER_NAME or not _HEADER_NAME.fullmatch(value):
        raise ValueError("give the name of a header, such as Authorization")
    if value.lower() in _OWN_HEADERS:
        raise ValueError(f"the request has a {value} header of its own")
    return value


def _header_value(value: str | None, info: ValidationInfo) -> str | None:
    if value is None:
        return None
    # Says nothing of the value itself: it is a secret.
    if len(value) > LONGEST_HEADER_VALUE or not value.isascii() or not value.isprintable():
        raise ValueError(
            f"the value of a header has at most {LONGEST_HEADER_VALUE:,} printable characters"
        )
    if info.data.get("webhook_auth_header_name") is None:
        raise ValueError("webhook_auth_header_value requires webhook_auth_header_name")
    return value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


Whole = Annotated[int, BeforeValidator(_whole_number)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Silence = Annotated[int, BeforeValidator(_clamped_silence)]
SampleRate = Annotated[int, BeforeValidator(_sample_rate)]
Mono = Annotated[Whole, AfterValidator(_one_channel)]
AudioEncoding = Annotated[Encoding, BeforeValidator(_encoding)]
Context = Annotated[str, BeforeValidator(_context)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_json_object)]
Names = Annotated[list[str], BeforeValidator(_comma_separated)]
Terms = Annotated[
    list[str],
    BeforeValidator(_json_list),
    AfterValidator(_not_too_many),
    AfterValidator(_short_enough),
]
Languages = Annotated[
    list[Annotated[str, AfterValidator(_language)]],
    BeforeValidator(_listed),
    AfterValidator(_many_alone),
]
FocusThreshold = Annotated[Unit | None, AfterValidator(_beside_voice_focus)]
WebhookUrl = Annotated[str | None, BeforeValidator(_http_url)]
HeaderName = Annotated[str | None, BeforeValidator(_none_if_empty), AfterValidator(_header_name)]
HeaderValue = Annotated[str | None, BeforeValidator(_none_if_empty), AfterValidator(_header_value)]
