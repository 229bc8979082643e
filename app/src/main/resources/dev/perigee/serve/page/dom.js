// Elements from facts. Text reaches the page through textContent only, so no name and no value is ever markup.

/** `h('td', { class: 'num' }, 'text', child)` */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** The element with this id, which the page has. */
export function at(id) {
  return document.getElementById(id);
}

/** Writes only what changed, so that a screen reader and a selection are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows the message, or hides the element for an empty one. */
export function show(element, message) {
  say(element, message ?? '');
  element.hidden = !message;
}
