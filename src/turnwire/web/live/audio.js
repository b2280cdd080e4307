// Where audio comes from: the microphone or a file. A source calls `onChunk` with Int16Array
// chunks of 100 ms at `rate` Hz, and `onEnd` once there is no more.

import { at } from "./place.js";

const RATE = 16000;
const CHUNK_SECONDS = 0.1;

export class SourceError extends Error {}

const MICROPHONE_ERRORS = {
  NotAllowedError:
    "The browser may not use the microphone. Allow it beside the address, then press the button again.",
  NotFoundError: "No microphone was found. Connect one, then press the button again.",
  NotReadableError: "The microphone is in use by another program. Close that one, then try again.",
};

export class Microphone {
  async open() {
    if (!window.isSecureContext || !navigator.mediaDevices) {
      throw new SourceError(
        "Browsers give the microphone to secure pages only. Open this page as " +
          `http://localhost:${location.port || 80} on the server's own machine, or start the ` +
          "server with --tls-self-signed and use https. A file works as it is.",
      );
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (error) {
      throw new SourceError(MICROPHONE_ERRORS[error.name] ?? `No microphone: ${error.message}`);
    }
    this.stream = stream;
    try {
      this.context = new AudioContext({ sampleRate: RATE });
      this.input = this.context.createMediaStreamSource(stream);
    } catch {
      // Some browsers only connect a microphone at its own rate.
      await this.context?.close();
      this.context = new AudioContext();
      this.input = this.context.createMediaStreamSource(stream);
    }
    await this.context.audioWorklet.addModule(at("live/worklet.js"));
    return this.context.sampleRate;
  }

  start(onChunk) {
    this.node = new AudioWorkletNode(this.context, "chunks", { numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => onChunk(data);
    this.input.connect(this.node);
  }

  close() {
    if (this.node) this.node.port.onmessage = null;
    this.input?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.context?.state !== "closed") this.context?.close();
  }
}

export class AudioFile {
  constructor(file) {
    this.file = file;
  }

  async open() {
    const context = new OfflineAudioContext(1, 1, RATE);
    let decoded;
    try {
      decoded = await context.decodeAudioData(await this.file.arrayBuffer());
    } catch {
      throw new SourceError(`${this.file.name} holds no audio that this browser can read.`);
    }
    const mixing = new OfflineAudioContext(1, Math.max(1, Math.ceil(decoded.duration * RATE)), RATE);
    const source = new AudioBufferSourceNode(mixing, { buffer: decoded });
    source.connect(mixing.destination);
    source.start();
    this.samples = (await mixing.startRendering()).getChannelData(0);
    return RATE;
  }

  // As fast as it is spoken. A page in the background is woken seldom, so what is due is sent.
  start(onChunk, onEnd) {
    const size = RATE * CHUNK_SECONDS;
    const began = performance.now();
    let sent = 0;
    this.timer = setInterval(() => {
      const due = Math.min(this.samples.length, (RATE * (performance.now() - began)) / 1000);
      while (sent < this.samples.length && sent <= due) {
        const chunk = this.samples.subarray(sent, sent + size);
        onChunk(Int16Array.from(chunk, (sample) => Math.max(-1, Math.min(1, sample)) * 32767));
        sent += size;
      }
      if (sent >= this.samples.length) {
        this.close();
        onEnd();
      }
    }, 1000 * CHUNK_SECONDS);
  }

  close() {
    clearInterval(this.timer);
  }
}
