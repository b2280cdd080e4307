"""What a text leaves out of what was said: voice that none of its words takes.

Where one speaker takes over from another, a decoder may take the first one's end for that of the
window, or go on with what it understands next. The words beside what it leaves out are given the
sound of that, and last far too long.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from turnwire.recognition import plain
from turnwire.speech.decoding import DecodedWord

Words = tuple[DecodedWord, ...]

VoiceWithin = Callable[[int, int], int]
"""How much voice there is between two times. All in milliseconds."""

UNHEARD_MS = 1000
"""So much voice after the last word is of words that were not heard. Less may be a breath."""

_LAST_SOUND_MS = 500
"""A text that stops no longer than this before the voice does has heard all of it."""

_LEFT_OUT_MS = 600
"""So much amid the words is, if an earlier decode heard some there."""

_MOST_WORDS = 120
"""Where there are more, two decodes are not compared: that takes a cube of them where they repeat
themselves."""

_LETTER_MS = 80
"""How long a letter of a word lasts, more or less,"""

_SYLLABLE_MS = 250
"""one of Han, Kana or Hangul, which is a syllable,"""

_NAME_MS = 300
"""and one said by its name: a digit (1813 is two words), or any of a word in capitals."""

_SYLLABLE = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)


def without_what_follows(words: Words, voice_end: int, voice: VoiceWithin) -> Words:
    """The words of a text whose voice ends at `voice_end`; the last one ends after its letters if
    there is a voice after those for which there are no words."""
    for last in words[-1:]:
        end = min(last.end, last.start + _spoken_ms(last))
        if voice(end, voice_end) >= UNHEARD_MS:
            return (*words[:-1], replace(last, end=end))
    return words


def with_all_the_voice(words: Words, voice_end: int) -> Words:
    """The words; a last one that ends a little before the voice does ends with it. Decoders give a
    word that stands alone less than its sound."""
    for last in words[-1:]:
        if 0 < voice_end - last.end <= _LAST_SOUND_MS:
            return (*words[:-1], replace(last, end=voice_end))
    return words


def filled(words: Words, before: Sequence[DecodedWord], voice: VoiceWithin) -> Words:
    """The words, with those that an earlier decode of the window, which made the words `before`,
    heard amid them where they leave something out."""
    if max(len(words), len(before)) > _MOST_WORDS:
        return words
    earlier, later = ([plain(word.text) for word in each] for each in (before, words))
    whole: list[DecodedWord] = []
    hole_until = -1
    changes = SequenceMatcher(None, earlier, later, autojunk=False).get_opcodes()
    for kind, i, j, first, after in changes:
        heard, said = before[i:j], words[first:after]
        if i == hole_until:
            # Words beside a hole were given its sound.
            whole.extend(map(_timed, said, heard))
        elif kind != "equal" and heard and _are_left_out(heard, words, first, after, voice):
            whole[-1] = _timed(whole[-1], before[i - 1])
            whole.extend((*heard, *said[_instead(heard, said) :]))
            hole_until = j
        else:
            whole.extend(said)
    return tuple(whole)


def _timed(word: DecodedWord, as_heard: DecodedWord) -> DecodedWord:
    return replace(word, start=as_heard.start, end=as_heard.end)


def _are_left_out(
    heard: Sequence[DecodedWord], words: Words, first: int, after: int, voice: VoiceWithin
) -> bool:
    """Whether words that were `heard` are missing amid `words`, where those have others from
    `first` on and before `after`, if any, and there is voice that none of them takes."""
    instead = _instead(heard, words[first:after])
    amid = first > 0 and first + instead < len(words)
    # A text that says as much may have it in fewer words: 北京 where 背 and 景 were heard.
    said = words[first : first + instead]
    if not amid or len(heard) <= len(said) or _spoken_ms(*heard) <= _spoken_ms(*said):
        return False
    if voice(heard[0].start, heard[-1].end) < _LEFT_OUT_MS:
        return False
    start = min(words[first - 1].start, heard[0].start)
    end = max(words[first + instead].end, heard[-1].end)
    there = (word for word in words if word.end > start and word.start < end)
    taken = sum(min(_spoken_ms(word), word.end - word.start) for word in there)
    return voice(start, end) - taken >= _LEFT_OUT_MS


def _instead(heard: Sequence[DecodedWord], said: Words) -> int:
    """How many of the words `said` come before the end of those that were `heard`."""
    return sum(word.start < heard[-1].end for word in said)


def _spoken_ms(*words: DecodedWord) -> int:
    """How long it takes to say words, more or less."""
    return sum(
        _letter_ms(letter, capitals=word.text.isupper()) for word in words for letter in word.text
    )


def _letter_ms(letter: str, *, capitals: bool) -> int:
    if letter.isdigit() or (capitals and letter.isupper()):
        return _NAME_MS
    return _SYLLABLE_MS if _SYLLABLE.match(letter) else _LETTER_MS
