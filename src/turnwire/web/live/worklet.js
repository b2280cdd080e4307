// Turns what the microphone hears into chunks of 16-bit samples, off the page's own thread.

const CHUNK_SECONDS = 0.1;

class Chunks extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Int16Array(Math.round(sampleRate * CHUNK_SECONDS));
    this.filled = 0;
  }

  process([channels]) {
    const samples = channels[0] ?? [];
    for (const sample of samples) {
      this.chunk[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.filled === this.chunk.length) {
        this.port.postMessage(this.chunk.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("chunks", Chunks);
