"""Words of tokens, in every kind of writing.

The tokens are those of the English model: it has letters of other scripts in pieces, of which
some end within a letter.
"""

import pytest
import tokenizers
from faster_whisper.tokenizer import Tokenizer

from turnwire.speech.models import find_model
from turnwire.speech.splitting import split, tokens_a_second
from turnwire.writing import text_of


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    file = find_model("tiny.en").folder / "tokenizer.json"
    return Tokenizer(tokenizers.Tokenizer.from_file(str(file)), False, None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" Hello, it's 5.30 o'clock.", "Hello,|it's|5.30|o'clock."),
        (" “Quoted” – and so on…", "“Quoted”|–|and|so|on…"),
        (" Où est l'hôtel ?", "Où|est|l'hôtel|?"),
        (" Доброе утро, мир.", "Доброе|утро,|мир."),
        (" 안녕하세요 세계", "안녕하세요|세계"),
        (" नमस्ते दुनिया।", "नमस्ते|दुनिया।"),
        ("今日は、いい天気。", "今|日|は、|い|い|天|気。"),
        ("「東京」へちょっと行った。", "「東|京」|へ|ちょっ|と|行っ|た。"),
        ("スーパーで人々と", "スーパー|で|人々|と"),
        ("天气很好 我们走吧！", "天|气|很|好|我|们|走|吧！"),
        ("買iPhone給John Smith。", "買|iPhone|給|John|Smith。"),
        ("2,000円です", "2,000|円|で|す"),
        ("สวัสดีเพื่อน ๆ", "ส|วั|ส|ดี|เพื่|อ|น|ๆ"),
        ("ສະບາຍດີ", "ສະ|ບາ|ຍ|ດີ"),
        ("မင်္ဂလာပါ", "မ|င်္ဂ|လာ|ပါ"),
        ("ខ្មែរ", "ខ្មែ|រ"),
    ],
)
def test_words_of_a_text(tokenizer: Tokenizer, text: str, words: str) -> None:
    made = split(tokenizer.encode(text), tokenizer)
    assert [word.text for word in made] == words.split("|")
    assert text_of((word.text, word.joined) for word in made) == text.strip()
    for word in made:
        assert tokenizer.decode(word.tokens).strip() == word.text


def test_no_word_of_a_text_that_ends_within_a_letter_has_a_part_of_it(
    tokenizer: Tokenizer,
) -> None:
    tokens = tokenizer.encode("公園")
    words = split(tokens[:-1], tokenizer)
    assert [word.text for word in words] == ["公"]
    assert words[0].tokens == tokens[:-1]


def test_a_text_that_goes_on_has_no_space_before_it_in_a_writing_without_sentences_apart(
    tokenizer: Tokenizer,
) -> None:
    """What a window begins with: nothing says what stands before it."""
    texts = {"今日は": True, "Hello": False, "สวัสดี": False, " 今日は": False}
    joined = {text: split(tokenizer.encode(text), tokenizer)[0].joined for text in texts}
    assert joined == texts


@pytest.mark.parametrize("language", ["th", "lo", "my", "km"])
def test_languages_with_less_than_a_letter_in_a_token_may_have_more_of_them(
    language: str,
) -> None:
    assert tokens_a_second(language) > tokens_a_second("en") == tokens_a_second("ja")
