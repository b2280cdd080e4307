// Elements. What comes from the server goes in as text, never as markup.

// The properties are those of the element; what it has none of becomes an attribute.
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", textContent: text, onclick, ...properties });
}

// A pair of a label and its input.
export function field(label, input, help = "") {
  const box = el("div", { className: "field" }, el("label", { htmlFor: input.id }, label), input);
  if (help) {
    const id = `${input.id}-help`;
    input.setAttribute("aria-describedby", id);
    box.append(el("small", { id, textContent: help }));
  }
  return box;
}

export function say(text, isError = false) {
  const status = document.getElementById("status");
  status.textContent = text;
  status.classList.toggle("error", isError);
}
