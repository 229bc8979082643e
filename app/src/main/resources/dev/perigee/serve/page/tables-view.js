// The live list of tables. Rows are made once and then only their texts change, so focus and selection stay.

import { h, say, show } from './dom.js';
import { clock, count, duration, interval, rate } from './format.js';
import { Sparkline } from './sparkline.js';

const STATES = {
  idle: 'up to date',
  syncing: 'syncing',
  paused: 'paused',
  failing: 'failing',
  attention: 'needs attention',
  waiting: 'not complete yet',
};

/** Promises of a copy that is not known to be right, however well its last sync went. */
const NOT_RIGHT_YET = ['loading', 'filling', 'recovering', 'incomplete', 'different', 'behind'];

const GUARANTEES = {
  loading: 'Nothing is promised until all rows have been fetched once.',
  behind: 'The last sync failed. The copy is as of an earlier sync.',
  complete: 'The copy has every row that was committed at its last sync, provided that the cursor moved.',
  settled: 'The copy has all rows that commit within this time after taking their cursor value.',
  verified: 'At this time every row was compared with the source.',
  different: 'A verification found rows that differ from the source and were not repaired.',
  recovering: 'The source went back or was replaced. Rows from before are still being repaired.',
  filling: 'Columns were added. Older rows do not have their values yet.',
  incomplete: 'Rows are set aside because they could not be stored.',
};

/** Whether a table's last sync failed, also while it is tried again. */
export function isFailing(table) {
  return table.state === 'failing' || (table.state !== 'paused' && Boolean(table.lastError));
}

/** Whether something about a table stays until somebody does something. */
export function needsAttention(table) {
  return (table.attention ?? []).length > 0;
}

/** What the page calls the state: idle is "up to date" only where nothing is known to be wrong with the copy. */
function shownState(table) {
  if (table.state !== 'idle') return table.state;
  if (needsAttention(table)) return 'attention';
  return NOT_RIGHT_YET.includes(promise(table)) ? 'waiting' : 'idle';
}

function promise(table) {
  return table.guarantee?.replace(/( of what |\().*/, '') ?? ''; // without its time, rows and whose sight it is of
}

const RATE_MS = 10_000; // longer than most intervals, so that the number does not jump between zero and twice itself

export class TablesView {
  #rows = new Map();
  #table;
  #actions;

  /** @param actions `sync(name)`, `pause(name, paused)`, `query(name)`; each returns a promise */
  constructor(table, actions) {
    this.#table = table;
    this.#actions = actions;
  }

  /**
   * @param source trouble of the source as a whole, which is not told again for each table
   * @returns rows per second over all tables
   */
  render(tables, now, source) {
    const names = new Set(tables.map((table) => table.name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.body.remove();
      this.#rows.delete(name);
    }
    let total = 0;
    for (const table of tables) {
      let row = this.#rows.get(table.name);
      if (!row) {
        row = new Row(table.name, this.#actions);
        this.#rows.set(table.name, row);
        this.#table.append(row.body);
      }
      total += row.render(table, now, source);
    }
    return total;
  }

  /** Between two answers of the server only the countdown moves. */
  tick(now) {
    for (const row of this.#rows.values()) row.countDown(now);
  }
}

class Row {
  #spark;
  #last = null;
  #past = []; // { at, pulled } of the last RATE_MS
  #rate = 0;
  #nextSyncAt = null;
  #state = '';
  #isPaused = false;
  #busy = false;

  constructor(name, actions) {
    this.#spark = new Sparkline(`Rows per second of ${name}, the last minute`);
    this.name = h('button', { type: 'button', class: 'name', title: `Query ${name}` }, name);
    this.how = h('span', { class: 'how' });
    this.rows = h('span', { class: 'figure' });
    this.cursor = h('span', { class: 'cursor' });
    this.rate = h('span', { class: 'rate' });
    this.lag = h('span', { class: 'figure' });
    this.state = h('span', { class: 'state' });
    this.detail = h('span', { class: 'how' });
    this.guarantee = h('span', { class: 'how' });
    this.meter = h('progress', { class: 'meter', max: '1', 'aria-label': `Progress of ${name}` });
    this.next = h('span', { class: 'figure' });
    this.last = h('span', { class: 'how' });
    this.sync = h('button', { type: 'button', class: 'sync', 'aria-label': `Sync ${name} now` }, 'Sync');
    this.pause = h('button', { type: 'button', class: 'pause' }, 'Pause');
    this.trouble = h('td', { colspan: '8' });
    this.troubleRow = h('tr', { class: 'trouble', hidden: '' }, this.trouble);
    this.fault = h('strong');
    this.message = h('span', { class: 'message' });
    this.remedy = h('span', { class: 'remedy' });
    this.trouble.append(this.fault, this.message, this.remedy);
    this.attention = h('td', { colspan: '8' });
    this.attentionRow = h('tr', { class: 'trouble attention', hidden: '' }, this.attention);
    this.body = h(
      'tbody',
      { 'data-table': name },
      h(
        'tr',
        {},
        h('th', { scope: 'row', class: 'c-name' }, this.name, this.how),
        h('td', { class: 'num c-rows', 'data-label': 'Rows' }, this.rows),
        h('td', { class: 'c-cursor', 'data-label': 'Cursor' }, this.cursor),
        h('td', { class: 'c-rate', 'data-label': 'Rows per second' }, h('div', { class: 'chart' }, this.#spark.element, this.rate)),
        h('td', { class: 'num c-lag', 'data-label': 'Lag' }, this.lag),
        h('td', { class: 'c-state', 'data-label': 'State' }, this.state, this.detail, this.meter, this.guarantee),
        h('td', { class: 'num c-next', 'data-label': 'Next sync' }, this.next, this.last),
        h('td', { class: 'c-act' }, this.sync, this.pause),
      ),
      this.troubleRow,
      this.attentionRow,
    );
    this.name.addEventListener('click', () => actions.query(name));
    this.sync.addEventListener('click', () => this.#run(() => actions.sync(name)));
    this.pause.addEventListener('click', () => this.#run(() => actions.pause(name, !this.#isPaused)));
  }

  async #run(action) {
    if (this.#busy) return;
    this.#busy = true;
    this.sync.disabled = this.pause.disabled = true;
    try {
      await action();
    } finally {
      this.#busy = false;
      this.sync.disabled = this.pause.disabled = false;
    }
  }

  render(table, now, source) {
    this.#measure(table, now);
    this.#state = table.state;
    this.#isPaused = table.state === 'paused' || table.paused === true;
    this.#nextSyncAt = table.nextSyncAt ? new Date(table.nextSyncAt) : null;
    this.body.dataset.state = shownState(table);

    const every = table.cron ? `cron ${table.cron}` : interval(table.intervalMs);
    const where = table.where && `where ${shorten(table.where)}`;
    say(this.how, [table.cursorColumn && `by ${table.cursorColumn}`, every, where].filter(Boolean).join(' · '));
    this.how.title = table.where ?? '';
    say(this.rows, count(table.rowCount));
    say(this.cursor, table.cursor ? shorten(cursorText(table.cursor)) : '–');
    this.cursor.title = table.cursor ? cursorText(table.cursor) : '';
    say(this.guarantee, table.guarantee ?? '');
    this.guarantee.title = GUARANTEES[promise(table)] ?? '';
    say(this.rate, rate(this.#rate));
    say(this.lag, duration(table.lag ?? NaN));
    this.#renderState(table);
    say(this.last, table.lastSyncAt ? `last ${clock(new Date(table.lastSyncAt))}` : '');
    say(this.pause, this.#isPaused ? 'Resume' : 'Pause');
    this.pause.setAttribute('aria-label', `${this.#isPaused ? 'Resume' : 'Pause'} ${table.name}`);
    const problem = table.error ?? table.lastError;
    const isTold = source?.fault === problem?.fault && source?.tables.includes(table.name);
    this.#renderTrouble(isTold ? null : problem);
    this.#renderAttention(table);
    this.countDown(now);
    return this.#rate;
  }

  #measure(table, now) {
    const pulled = table.rowsPulled ?? 0;
    if (this.#last && now > this.#last.at) {
      // A resync begins to count anew.
      if (pulled < this.#last.pulled) this.#past = [];
      this.#spark.add((Math.max(0, pulled - this.#last.pulled) * 1000) / (now - this.#last.at));
    }
    this.#past.push({ at: now, pulled });
    while (this.#past.length > 2 && this.#past[1].at <= now - RATE_MS) this.#past.shift();
    const { at, pulled: before } = this.#past[0];
    this.#rate = now > at ? ((pulled - before) * 1000) / (now - at) : 0;
    this.#last = { at: now, pulled };
  }

  #renderState(table) {
    say(this.state, STATES[shownState(table)] ?? table.state);
    const progress = table.state === 'syncing' ? table.progress : null;
    const all = progress?.estimatedRows;
    const parts = [];
    if (progress?.rows > 0) parts.push(`${count(progress.rows)}${all ? ` of ${count(all)}` : ''} rows`);
    if (progress?.etaMs > 1000) parts.push(`${duration(progress.etaMs)} left`);
    say(this.detail, parts.join(', '));
    this.meter.hidden = !all;
    if (all) this.meter.value = Math.min(1, progress.rows / all);
  }

  #renderTrouble(problem) {
    this.troubleRow.hidden = !problem;
    if (!problem) return;
    say(this.fault, problem.fault ?? 'Failed');
    say(this.message, withoutEnds(problem));
    show(this.remedy, problem.remedy ? `To fix: ${problem.remedy}.` : '');
  }

  /** What stays until somebody does something, the open transaction that holds late rows back, and the notes. */
  #renderAttention(table) {
    const lines = (table.attention ?? []).map((one) => `${withoutEnds(one).replace(/\.$/, '')}. To fix: ${one.remedy}.`);
    const held = table.heldBy;
    if (held) lines.push(`Rows since ${held.since} may still come late: ${held.who} has a transaction open.`);
    lines.push(...(table.notes ?? []).map((note) => `Note: ${note}`));
    this.attentionRow.hidden = lines.length === 0;
    while (this.attention.children.length > lines.length) this.attention.lastElementChild.remove();
    while (this.attention.children.length < lines.length) this.attention.append(h('span', { class: 'message' }));
    lines.forEach((line, i) => say(this.attention.children[i], line));
  }

  countDown(now) {
    if (this.#isPaused) return say(this.next, '–');
    if (this.#state === 'syncing') return say(this.next, 'now');
    if (!this.#nextSyncAt) return say(this.next, '–');
    const left = this.#nextSyncAt.getTime() - now;
    say(this.next, left <= 0 ? 'now' : left < 60_000 ? `${Math.ceil(left / 1000)} s` : duration(left));
  }
}

/** The fault's name and the remedy stand beside the message; it need not repeat them. */
function withoutEnds({ fault, message = '', remedy }) {
  let text = message;
  if (fault && text.startsWith(`${fault} in `)) text = text.slice(fault.length + 4);
  if (remedy && text.endsWith(` To fix: ${remedy}.`)) text = text.slice(0, -` To fix: ${remedy}.`.length);
  return text;
}

function cursorText(cursor) {
  return typeof cursor === 'string' ? cursor : JSON.stringify(cursor);
}

function shorten(text) {
  return text.length > 34 ? `${text.slice(0, 33)}…` : text;
}
