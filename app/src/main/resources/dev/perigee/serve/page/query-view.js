// A box to run a statement, and its result.

import { ApiError, open } from './api.js';
import { at, h, say, show } from './dom.js';
import { count, duration } from './format.js';
import { ExactNumber, firstRows } from './row-limit.js';

const MOST_ROWS = 1000;
const MOST_CHARACTERS = 16_000_000;
const MOST_CELL_CHARACTERS = 500;

export class QueryView {
  #running = null;
  #suggested = false;
  #onTokenRefused;

  constructor(onTokenRefused) {
    this.#onTokenRefused = onTokenRefused;
    at('query-form').addEventListener('submit', (e) => {
      e.preventDefault();
      this.run();
    });
    at('sql').addEventListener('keydown', (e) => {
      if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        this.run();
      }
    });
    at('stop').addEventListener('click', () => this.#running?.abort());
  }

  /** Something to begin with, once; never over what the user wrote. */
  suggest(sql) {
    if (!this.#suggested && !at('sql').value) at('sql').value = sql;
    this.#suggested = true;
  }

  /** Puts the statement into the box and runs it. */
  async show(sql) {
    at('sql').value = sql;
    at('where').value = 'internal';
    await this.run();
  }

  async run() {
    const sql = at('sql').value.trim();
    if (!sql || this.#running) return;
    const running = new AbortController();
    this.#running = running;
    at('run').disabled = true;
    at('stop').hidden = false;
    show(at('query-error'), '');
    say(at('outcome'), 'Running…');
    const begun = performance.now();
    try {
      const response = await open('POST', 'query/raw', { sql }, running.signal, { 'X-Starbase-Source': at('where').value });
      const answer = await firstRows(response, MOST_ROWS, MOST_CHARACTERS, () => running.abort());
      this.#render(answer, performance.now() - begun);
    } catch (e) {
      at('grid').hidden = true;
      say(at('outcome'), '');
      if (running.signal.aborted && e.name === 'AbortError') say(at('outcome'), 'Stopped.');
      else if (e instanceof ApiError && e.status === 401) this.#onTokenRefused();
      else show(at('query-error'), e.message);
    } finally {
      this.#running = null;
      at('run').disabled = false;
      at('stop').hidden = true;
    }
  }

  #render({ columns = [], rows = [], meta, isCut }, ms) {
    const took = `in ${duration(ms)}`;
    if (columns.length === 0) {
      const written = meta?.rows_written ?? 0;
      say(at('outcome'), `Done ${took}${written ? `, ${count(written)} rows written` : ''}.`);
      at('grid').hidden = true;
      return;
    }
    const shown = rows.length === 1 ? '1 row' : `${count(rows.length)} rows`;
    say(at('outcome'), isCut ? `The first ${shown} ${took}; there are more.` : `${shown} ${took}.`);
    const head = h('tr', {}, ...columns.map((name, i) => h('th', { scope: 'col', class: isNumeric(rows, i) ? 'num' : null }, String(name))));
    const body = h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map(cell))));
    at('grid').replaceChildren(h('table', {}, h('thead', {}, head), body));
    at('grid').hidden = false;
    at('grid').scrollTop = 0;
  }
}

function isNumeric(rows, i) {
  const values = rows.map((row) => row[i]).filter((value) => value !== null);
  return values.length > 0 && values.every((value) => typeof value === 'number' || value instanceof ExactNumber);
}

function cell(value) {
  if (value === null) return h('td', { class: 'null' }, 'NULL');
  if (value instanceof ExactNumber) return h('td', { class: 'num' }, value.text);
  if (typeof value === 'number') return h('td', { class: 'num' }, String(value));
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length <= MOST_CELL_CHARACTERS) return h('td', text.length > 40 ? { title: text } : {}, text);
  const start = text.slice(0, MOST_CELL_CHARACTERS);
  return h('td', { title: `${start}… (${count(text.length)} characters)` }, `${start}…`);
}
