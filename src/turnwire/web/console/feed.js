// What the server tells every second, for as long as this tab is looked at: browsers open six
// connections to one server, for all tabs together.

import { EVENTS, get, setServerTime } from "./api.js";

const SILENCE_MS = 10000; // after which the connection counts as dead
const RETRY_MS = 2000;

export class Feed {
  #source = null;
  #timer = null;
  #wanted = false;
  #reachable = false; // whether the server answered since the last snapshot

  // Handlers: `onSnapshot(snapshot)`, and `onLost(isReachable)` each time that it has to try again.
  constructor({ onSnapshot, onLost }) {
    this.onSnapshot = onSnapshot;
    this.onLost = onLost;
    document.addEventListener("visibilitychange", () => this.#adjust());
  }

  start() {
    this.#wanted = true;
    this.#adjust();
  }

  stop() {
    this.#wanted = false;
    this.#adjust();
  }

  #adjust() {
    this.#close();
    if (this.#wanted && !document.hidden) this.#open();
  }

  #open() {
    this.#source = new EventSource(EVENTS);
    this.#source.onerror = () => this.#lost();
    this.#source.addEventListener("snapshot", ({ data }) => {
      this.#expectMore();
      this.#reachable = false;
      const snapshot = JSON.parse(data);
      setServerTime(snapshot.at);
      this.onSnapshot(snapshot);
    });
    this.#expectMore();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #expectMore() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #lost() {
    this.#close();
    this.onLost(this.#reachable);
    this.#timer = setTimeout(() => this.#retry(), RETRY_MS);
  }

  // An EventSource does not say why it failed. A plain question does: 401 is for the page.
  async #retry() {
    try {
      await get("engine");
      this.#reachable = true;
    } catch (error) {
      this.#reachable = false;
      if (error.status !== 401 && this.#wanted && !document.hidden) this.#lost();
      return;
    }
    this.#adjust();
  }
}
