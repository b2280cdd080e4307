// Turns on the screen: finished ones in a log, the open one below it, word by word.

import { spacing } from "./spacing.js";

export class Captions {
  constructor(turns, partial, frame) {
    this.turns = turns;
    this.partial = partial;
    this.frame = frame;
    this.clear();
  }

  clear() {
    this.finished = new Map(); // the paragraph of each turn_order
    this.turns.replaceChildren();
    this.partial.replaceChildren();
  }

  show(turn) {
    const following = this.frame.scrollHeight - this.frame.scrollTop - this.frame.clientHeight < 40;
    if (turn.end_of_turn) this.finish(turn);
    else this.partial.replaceChildren(...shownWords(turn));
    if (following) this.frame.scrollTop = this.frame.scrollHeight;
  }

  finish(turn) {
    this.partial.replaceChildren();
    if (!turn.transcript) return;
    let paragraph = this.finished.get(turn.turn_order);
    if (!paragraph) {
      paragraph = document.createElement("p");
      this.finished.set(turn.turn_order, paragraph);
      this.turns.append(paragraph);
    }
    paragraph.textContent = turn.transcript;
  }
}

function shownWords({ words, transcript }) {
  const joined = spacing(words.map((word) => word.text), transcript);
  return words.flatMap((word, i) => {
    const span = document.createElement("span");
    span.textContent = word.text;
    if (!word.word_is_final) span.className = "tentative";
    return i === 0 || joined[i] ? [span] : [" ", span];
  });
}
