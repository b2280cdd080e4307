// The page: one session at a time, from the microphone or a file.

import { AudioFile, Microphone, SourceError } from "./audio.js";
import { Captions } from "./captions.js";
import { Closures } from "./closures.js";
import { NoToken, token } from "./credentials.js";
import { Parameters } from "./parameters.js";
import { at } from "./place.js";
import { Session } from "./session.js";

const SOCKET_PATH = "v3/ws";
const MESSAGES_SHOWN = 500;
const MESSAGES_KEPT = 20000;
const RETRIES = 5;

const $ = (id) => document.getElementById(id);
const captions = new Captions($("turns"), $("partial"), $("captions"));
let messages = [];
let running = null; // {source, rate, session, begun, stopping, retries}

const closures = Closures.load();
const parameters = Parameters.load($("parameters"));
loadRehearsal();

$("speak").onclick = () => run(new Microphone());
$("choose").onclick = () => $("file").click();
$("file").onchange = () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (file) run(new AudioFile(file));
};
$("stop").onclick = stop;
$("save").onclick = save;
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  if (file && !running) run(new AudioFile(file));
});

async function run(source) {
  const run = (running = { source, session: null, begun: false, stopping: false, retries: RETRIES });
  showRunning(true);
  captions.clear();
  messages = [];
  $("log").replaceChildren();
  $("closing").hidden = true;
  say("Getting ready…");
  try {
    run.rate = await source.open();
    await connect(run);
  } catch (error) {
    source.close();
    finish();
    const known = error instanceof SourceError || error instanceof NoToken;
    say(known ? error.message : "The server does not answer. Check that it runs.", true);
    return;
  }
  if (run.stopping) return;
  source.start(
    (chunk) => {
      showLevel(chunk);
      run.session.send(chunk);
    },
    () => stop(),
  );
}

async function connect(run) {
  const query = new URLSearchParams((await parameters).chosen());
  if (!query.has("format_turns")) query.set("format_turns", "true");
  query.set("sample_rate", run.rate);
  query.set("token", await token($("key")));
  const prefix = $("scenario").value && `rehearse/${$("scenario").value}/`;
  const url = at(`${prefix}${SOCKET_PATH}?${query}`);
  url.protocol = url.protocol.replace("http", "ws");
  run.session = new Session(url, {
    onMessage: (message, direction) => heard(run, message, direction),
    onClose: (closure) => closed(run, closure),
  });
}

function heard(run, message, direction) {
  record(message, direction);
  if (message.type === "Begin") {
    say(run.stopping ? "Waiting for the last words…" : "Listening.");
  } else if (message.type === "Turn") {
    run.retries = RETRIES;
    captions.show(message);
  } else if (message.type === "Warning") say(message.warning);
}

async function closed(run, closure) {
  record({ close_code: closure.code, reason: closure.text }, "closed");
  const row = (await closures).find(closure);
  const again = !run.stopping && row.retry_after !== null && run.retries > 0 && !$("scenario").value;
  run.begun ||= closure.begun;
  if (again && run.begun) {
    run.retries -= 1;
    say(`${row.meaning} Coming back; what you say meanwhile is lost.`, true);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(row.retry_after, 0.5)));
    try {
      if (!run.stopping) return await connect(run);
    } catch {
      return closed(run, { code: 1006, text: "", begun: false });
    }
  }
  run.source.close();
  finish();
  showClosing(closure, row);
}

function stop() {
  if (!running || running.stopping) return;
  running.stopping = true;
  running.source.close();
  running.session?.terminate();
  $("stop").disabled = true;
  say("Waiting for the last words…");
}

function finish() {
  running = null;
  showRunning(false);
}

function showRunning(on) {
  $("speak").hidden = $("choose").hidden = on;
  $("stop").hidden = $("level").hidden = !on;
  $("stop").disabled = false;
  (on ? $("stop") : $("speak")).focus();
}

function showLevel(chunk) {
  $("level").value = chunk.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) / 32768;
}

function showClosing(closure, row) {
  const box = $("closing");
  const failed = row.kind === "error";
  box.hidden = false;
  box.classList.toggle("error", failed);
  box.querySelector("h2").textContent = `${closure.code} ${closure.text || row.name}`;
  box.querySelector(".meaning").textContent = row.meaning;
  box.querySelector(".advice").textContent = row.advice;
  say(failed ? "The session ended with an error." : "The session has ended.", failed);
}

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
}

function record(message, direction) {
  const at = new Date().toISOString();
  if (messages.length < MESSAGES_KEPT) messages.push({ at, direction, message });
  $("log").append(shownMessage(message, direction));
  while ($("log").childElementCount > MESSAGES_SHOWN) $("log").firstElementChild.remove();
  $("log").scrollTop = $("log").scrollHeight;
  $("count").textContent = `${messages.length} messages`;
  $("save").disabled = false;
}

function shownMessage(message, direction) {
  const arrow = { sent: "→", received: "←", closed: "×" }[direction];
  const gist = message.transcript ?? message.error ?? message.warning ?? message.reason ?? "";
  const summary = document.createElement("summary");
  summary.textContent = `${arrow} ${message.type ?? message.close_code} ${gist}`;
  const whole = document.createElement("pre");
  whole.textContent = JSON.stringify(message, null, 1);
  const details = document.createElement("details");
  details.append(summary, whole);
  const item = document.createElement("li");
  item.append(details);
  return item;
}

function save() {
  const url = URL.createObjectURL(new Blob([JSON.stringify(messages, null, 2)]));
  Object.assign(document.createElement("a"), { href: url, download: "turnwire-session.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function loadRehearsal() {
  const answer = await fetch(at("rehearse"), { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const menu = await answer.json();
  $("rehearsal").hidden = false;
  const happens = new Map();
  for (const entry of menu.rehearsals ?? menu) {
    happens.set(entry.name, entry.happens);
    $("scenario").append(new Option(entry.name.replaceAll("_", " "), entry.name));
  }
  $("scenario").onchange = () => {
    $("happens").textContent = happens.get($("scenario").value) ?? "";
  };
}
