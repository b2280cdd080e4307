// An application of the official Node SDK: it speaks the PCM of a file into a session, and prints
// what the SDK tells it, event by event, each as a line of JSON.
import { readFileSync } from "node:fs";
import { AssemblyAI } from "assemblyai";

const { url, apiKey, sampleRate, file, withToken } = JSON.parse(process.argv[2]);

const tell = (event, told) => console.log(JSON.stringify({ event, ...told }));
const problem = ({ message, code }) => ({ message, code });

const client = new AssemblyAI({ apiKey, streamingBaseUrl: url.replace(/^wss(.*)\/v3\/ws$/, "https$1") });
const token = withToken
  ? await client.streaming.createTemporaryToken({ expires_in_seconds: 60 })
  : undefined;
const transcriber = client.streaming.transcriber({
  websocketBaseUrl: url,
  token,
  sampleRate,
  formatTurns: true,
  connectTimeout: 20_000, // a machine that runs tests may be busy
  connectionRetryDelay: 0,
});

transcriber.on("open", (begin) => tell("open", begin));
transcriber.on("turn", (turn) => tell("turn", turn));
transcriber.on("error", (error) => tell("error", problem(error)));
const closed = new Promise((resolve) => {
  transcriber.on("close", (code, reason) => {
    tell("close", { code, reason });
    resolve();
  });
});

try {
  await transcriber.connect();
  if (file === undefined) {
    await closed;
  } else {
    const audio = readFileSync(file);
    const step = (2 * sampleRate) / 20; // 50 ms
    for (let start = 0; start < audio.length; start += step) {
      transcriber.sendAudio(audio.subarray(start, start + step));
    }
    await transcriber.close(true, 60_000);
    tell("terminated");
  }
} catch (error) {
  tell("refused", problem(error));
}
