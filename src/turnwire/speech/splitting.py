"""Words of the tokens that a decoder writes, a letter or a part of one at a time."""

from dataclasses import dataclass, field

from faster_whisper.tokenizer import Tokenizer

from turnwire.writing import parts, sentences_touch

_NO_LETTER = "\ufffd"
"""What bytes are decoded to that are no letter: a text may end within one."""

_TOKENS_A_SECOND = 7
_IN_SHORT_TOKENS = {
    15: "hi mr ne sa ta th",
    35: "am as bn bo gu hy ka km kn lo ml my pa si te",
}
"""The same for languages whose letters Whisper's vocabulary has singly, or not at all, but the
bytes that they consist of."""


@dataclass(slots=True)
class Split:
    """A word with the punctuation that touches it."""

    text: str
    joined: bool
    """Whether it follows the word before without a space."""
    tokens: list[int] = field(default_factory=list)


def tokens_a_second(language: str) -> int:
    """As many as fast speakers need, in the language with this code."""
    rates = (rate for rate, codes in _IN_SHORT_TOKENS.items() if language in codes.split())
    return next(rates, _TOKENS_A_SECOND)


def split(tokens: list[int], tokenizer: Tokenizer) -> list[Split]:
    """The words. A token may hold less than a letter; no word does."""
    words: list[Split] = []
    for piece, its_tokens in zip(*tokenizer.split_tokens_on_unicode(tokens), strict=True):
        text, spaced = piece.replace(_NO_LETTER, "").strip(), piece[:1].isspace()
        if not words:
            words.append(Split(text, not spaced and sentences_touch("", text)))
        elif spaced or parts(words[-1].text, text):
            words.append(Split(text, not spaced))
        else:
            words[-1].text += text
        words[-1].tokens += its_tokens
    return words
