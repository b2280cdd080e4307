// Where words have spaces between them, as `turnwire.writing` has it.

const UNSPACED =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Tibt}\p{sc=Mymr}\p{sc=Khmr}\uff00-\uff9f]/u;

// Which words follow the one before without a space in a text; by the letters that meet, where it
// does not have both.
export function spacing(words, text) {
  let at = 0;
  let found = false;
  return words.map((word, i) => {
    const start = at + text.slice(at).search(/\S|$/);
    const before = found;
    found = text.startsWith(word, start);
    const joined = before && found ? start === at : i > 0 && touch(words[i - 1], word);
    if (found) at = start + word.length;
    return joined;
  });
}

function touch(before, after) {
  return [[...before].at(-1), [...after][0]].some((letter) => UNSPACED.test(letter ?? ""));
}
