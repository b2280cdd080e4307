// A form of the protocol's own parameters, as the server lists them.

import { at } from "./place.js";

const OWN = ["sample_rate", "encoding", "token"]; // which the page sets itself

export class Parameters {
  constructor(form, rows) {
    this.form = form;
    for (const row of rows) {
      if (!OWN.includes(row.name)) form.append(field(row));
    }
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  static async load(form) {
    return new Parameters(form, await (await fetch(at("live/parameters.json"))).json());
  }

  // What was filled in, as [name, value] pairs.
  chosen() {
    return [...new FormData(this.form)].filter(([, value]) => value !== "");
  }
}

function field(row) {
  const id = `parameter-${row.name}`;
  const label = Object.assign(document.createElement("label"), { htmlFor: id, textContent: row.name });
  const input = row.choices ? select(row.choices) : document.createElement("input");
  const help = Object.assign(document.createElement("small"), {
    id: `${id}-help`,
    textContent: row.description,
  });
  Object.assign(input, { id, name: row.name });
  if (!row.choices) input.placeholder = row.default ?? "";
  input.setAttribute("aria-describedby", help.id);
  const group = document.createElement("div");
  group.append(label, input, help);
  return group;
}

function select(choices) {
  const input = document.createElement("select");
  input.append(new Option("(default)", ""), ...choices.map((choice) => new Option(choice, choice)));
  return input;
}
