// Questions to the operator.

import { button, el, field } from "./dom.js";

// Whether the operator wants it.
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    const dialog = opened(
      title,
      el("p", { textContent: text }),
      el(
        "div",
        { className: "controls" },
        button(action, () => dialog.close("yes"), { className: "primary" }),
        button("Cancel", () => dialog.close(), { autofocus: true }),
      ),
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}

// Asks for values and hands them, by name, to `submit`. What that throws is shown in the dialog,
// which stays open. Gives what `submit` gave, or undefined if the operator thought better of it.
// Fields: {name, label, help, type, value, options}, and what else an input has.
export function asked({ title, text = "", fields, action, more = [] }, submit) {
  return new Promise((resolve) => {
    let outcome;
    const inputs = fields.map(input);
    const problem = el("p", { className: "error", role: "alert" });
    const form = el(
      "form",
      {},
      el("p", { className: "quiet", textContent: text, hidden: !text }),
      ...fields.map(({ label, help }, place) => field(label, inputs[place], help)),
      problem,
      el(
        "div",
        { className: "controls" },
        el("button", { className: "primary", textContent: action }),
        button("Cancel", () => dialog.close()),
      ),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const sending = form.querySelector(".primary");
      sending.disabled = true;
      problem.textContent = "";
      try {
        outcome = (await submit(values(fields, inputs))) ?? true;
        dialog.close();
      } catch (error) {
        problem.textContent = error.message;
      } finally {
        sending.disabled = false;
      }
    });
    const dialog = opened(title, form, ...more);
    dialog.addEventListener("close", () => resolve(outcome));
  });
}

// Shows something until the operator is done with it.
export function told(title, ...content) {
  const done = button("Done", () => dialog.close(), { className: "primary" });
  const dialog = opened(title, ...content, el("div", { className: "controls" }, done));
}

export function closeAll() {
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
}

function opened(title, ...content) {
  const id = "dialog-title";
  const dialog = el("dialog", { "aria-labelledby": id }, el("h2", { id }, title), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function input({ name, label, help, type = "text", value = "", options, ...rest }) {
  const properties = { id: `field-${name}`, name, ...rest };
  if (options) {
    const choices = options.map((option) => new Option(option, option, false, option === value));
    return el("select", properties, ...choices);
  }
  if (type === "checkbox") return el("input", { ...properties, type, checked: value });
  return el("input", { ...properties, type, value: value ?? "", autocomplete: "off" });
}

// An empty number is null, which stands for no limit.
function values(fields, inputs) {
  return Object.fromEntries(
    fields.map(({ name, type }, place) => {
      const { checked, value } = inputs[place];
      if (type === "checkbox") return [name, checked];
      if (type === "number") return [name, value === "" ? null : Number(value)];
      return [name, value.trim()];
    }),
  );
}
