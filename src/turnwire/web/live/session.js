// One session: a WebSocket from its opening to its close.

const CHUNKS_WAITING = 300; // half a minute; what is older is dropped
const LONGEST_WAIT_MS = 30000; // for each of the last messages, at most

export class Session {
  // Handlers: `onMessage(message, direction)`, and once `onClose({code, text, begun})`.
  constructor(url, { onMessage, onClose }) {
    this.begun = false;
    this.waiting = []; // audio from before Begin
    this.error = null;
    this.onMessage = onMessage;
    this.socket = new WebSocket(url);
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    this.socket.onclose = ({ code, reason }) => {
      clearTimeout(this.timeout);
      onClose({ code, text: this.error ?? reason, begun: this.begun });
    };
  }

  receive(message) {
    if (this.ended) this.wait();
    if (message.type === "Begin") {
      this.begun = true;
      this.waiting.splice(0).forEach((chunk) => this.socket.send(chunk));
      if (this.ended) this.say({ type: "Terminate" });
    }
    if (message.type === "Error") this.error = message.error;
    this.onMessage(message, "received");
  }

  send(chunk) {
    if (this.begun && this.socket.readyState === WebSocket.OPEN) this.socket.send(chunk);
    else if (!this.begun) {
      this.waiting.push(chunk);
      if (this.waiting.length > CHUNKS_WAITING) this.waiting.shift();
    }
  }

  // Asks for the last words; the server closes.
  terminate() {
    if (this.ended) return;
    this.ended = true;
    if (this.begun) this.say({ type: "Terminate" });
    this.wait();
  }

  wait() {
    clearTimeout(this.timeout);
    this.timeout = setTimeout(() => this.socket.close(), LONGEST_WAIT_MS);
  }

  say(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify(message));
    this.onMessage(message, "sent");
  }
}
