// The token: asked for once, kept in this browser, never in an address.

const KEY = 'perigee.token';

/** The token, or null. */
export function token() {
  return read(() => sessionStorage.getItem(KEY)) ?? read(() => localStorage.getItem(KEY));
}

/** Keeps it for this tab, or on this device until it is forgotten. */
export function keep(value, onDevice) {
  read(() => (onDevice ? localStorage : sessionStorage).setItem(KEY, value));
  memory = value;
}

export function forget() {
  memory = null;
  read(() => sessionStorage.removeItem(KEY));
  read(() => localStorage.removeItem(KEY));
}

// For browsers that forbid storage: as long as the page is open.
let memory = null;

function read(action) {
  try {
    return action() ?? memory;
  } catch {
    return memory;
  }
}
