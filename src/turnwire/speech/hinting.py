"""What a session says about its audio, as a text that Whisper takes for what came before it.

Whisper was trained to go on from a previous text: it keeps to its names and their spelling. It
can be told in no other way, and has little room.
"""

from collections.abc import Callable

from turnwire.recognition import RecognitionOptions

_PROMPT_TOKENS = 48
_GLOSSARY_TOKENS = 64
_AGENT_TOKENS = 48
"""Together with what was said before, these leave the decoder room for a window's own text."""

Encode = Callable[[str], list[int]]


def hint(options: RecognitionOptions, encode: Encode) -> tuple[int, ...]:
    """The options in tokens, as much of them as there is room for; none if they say nothing."""
    return (
        *encode(_text(options.prompt))[:_PROMPT_TOKENS],
        *_glossary(options.keyterms, encode),
        *encode(_text(options.agent_context))[-_AGENT_TOKENS:],
    )


def _glossary(terms: tuple[str, ...], encode: Encode) -> list[int]:
    """As many of the first terms as there is room for."""
    end = encode(".")
    tokens = encode(" Glossary:")
    listed = False
    for term in terms:
        more = encode((", " if listed else " ") + term)
        if len(tokens) + len(more) + len(end) > _GLOSSARY_TOKENS:
            break
        tokens += more
        listed = True
    return tokens + end if listed else []


def _text(text: str) -> str:
    return f" {text.strip()}" if text.strip() else ""
