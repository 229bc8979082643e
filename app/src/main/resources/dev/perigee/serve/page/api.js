// Calls to the server. Every answer is {"result": …} or {"error": …}; the second becomes an ApiError.

import { token } from './session.js';

export class ApiError extends Error {
  /** @param status HTTP status; 0 when the server was not reached */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  get isAboutToken() {
    return this.status === 401 || this.status === 403;
  }
}

const CALL_LIMIT_MS = 15_000;

/** One call; returns the envelope's `result`. */
export async function call(method, path, body, { limitMs = CALL_LIMIT_MS } = {}) {
  const response = await send(method, path, body, AbortSignal.timeout(limitMs));
  return unwrap(response.status, await textOf(response));
}

/** The raw response, for answers that are read as they arrive. Throws for an error answer. */
export async function open(method, path, body, signal, headers) {
  const response = await send(method, path, body, signal, headers);
  if (!response.ok) unwrap(response.status, await textOf(response));
  return response;
}

async function send(method, path, body, signal, headers = {}) {
  const options = { method, signal, cache: 'no-store', credentials: 'omit', headers: { ...headers } };
  const bearer = token();
  if (bearer) options.headers.Authorization = `Bearer ${bearer}`;
  if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, options);
  } catch (e) {
    if (signal?.aborted && signal.reason?.name === 'AbortError') throw e;
    throw new ApiError(0, e.name === 'TimeoutError' ? 'The server did not answer in time.' : 'The server cannot be reached.');
  }
}

async function textOf(response) {
  try {
    return await response.text();
  } catch {
    throw new ApiError(0, 'The connection broke off before the answer was complete.');
  }
}

function unwrap(status, text) {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ApiError(status, `The server answered ${status}, without valid JSON.`);
  }
  if (answer.error !== undefined) throw new ApiError(status, messageOf(answer.error));
  if (status >= 400) throw new ApiError(status, `The server answered ${status}.`);
  return answer.result;
}

function messageOf(error) {
  return typeof error === 'string' ? error : error?.message ?? JSON.stringify(error);
}

/**
 * Server-sent events read through fetch, since EventSource cannot send the token. Calls `onEvent` for each event and
 * returns when the stream ends; throws when it breaks.
 */
export async function events(path, signal, onEvent) {
  const response = await open('GET', path, undefined, signal, { Accept: 'text/event-stream' });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value.replaceAll('\r', '');
    let end;
    while ((end = rest.indexOf('\n\n')) >= 0) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (block.split('\n').some((line) => line.startsWith('data:'))) onEvent();
    }
  }
}
