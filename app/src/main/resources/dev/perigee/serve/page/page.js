// The page: who is asking, what the server says, and what to show of it.

import { ApiError, call, events } from './api.js';
import { at, h, say, show } from './dom.js';
import { bytes, clock, count, duration, rate } from './format.js';
import { QueryView } from './query-view.js';
import { forget, keep, token } from './session.js';
import { isFailing, needsAttention, TablesView } from './tables-view.js';
import { ThemeSwitch } from './theme-switch.js';

const POLL_MS = 1000;
const INFO_EVERY_MS = 10_000;
const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 15_000;
const SETTLE_MS = 150; // events that come together cost one look

const query = new QueryView(() => refused('The server does not accept this token any more.'));
const tables = new TablesView(at('tables'), {
  sync: (name) => act(() => call('POST', 'replication/sync', { tables: [name] }, { limitMs: 600_000 })),
  pause: (name, paused) => act(() => call('PATCH', tablePath(name), { paused })),
  query: (name) => {
    at('query-title').scrollIntoView({ block: 'start', behavior: 'smooth' });
    return query.show(newestOf(name, 100));
  },
});

let current = null; // the tables of the last status
let hasSource = null; // whether there is an external database, once the server said so
let lastAnswerAt = null;
let shownObstacles = null; // of the source, as JSON
let session = null; // ends all loops of one token when aborted
let wake = () => {};

new ThemeSwitch(at('theme'));
at('token-form').addEventListener('submit', signIn);
at('forget').addEventListener('click', () => refused(''));
at('sync-all').addEventListener('click', () => act(() => call('POST', 'replication/sync', {}, { limitMs: 600_000 })));
at('add-open').addEventListener('click', () => openAdd(at('add').hidden));
at('add').addEventListener('submit', addTable);
setInterval(() => tables.tick(Date.now() + clockAhead), 500);
document.addEventListener('visibilitychange', () => wake());

if (token()) enter();
else ask('');

// Who is asking

function ask(message) {
  at('main').hidden = at('foot').hidden = at('forget').hidden = at('place').hidden = true;
  at('gate').hidden = false;
  show(at('token-error'), message);
  link('off', 'not connected');
  at('token').value = '';
  at('token').focus();
}

async function signIn(event) {
  event.preventDefault();
  keep(at('token').value.trim(), at('token-keep').checked);
  try {
    await call('GET', 'replication/status');
  } catch (e) {
    if (e.isAboutToken) {
      refused(e.status === 401 ? 'The server does not know this token.' : 'This token is not the admin token.');
      return;
    }
    if (e.status === 0) {
      refused(e.message);
      return;
    }
    // Replication may be off or failing; the rest of the page still works, and says so.
  }
  enter();
}

function refused(message) {
  session?.abort();
  session = null;
  forget();
  ask(message);
}

function enter() {
  at('gate').hidden = true;
  at('main').hidden = at('forget').hidden = false;
  at('token').value = '';
  session?.abort();
  session = new AbortController();
  watch(session.signal);
  listen(session.signal);
  inform(session.signal);
}

// What the server says

let clockAhead = 0; // the server's clock minus this one

/** Asks for the status every second, at once after an event, and less often while the server is away. */
async function watch(signal) {
  let failures = 0;
  while (!signal.aborted) {
    const waiting = new Promise((resolve) => (wake = resolve));
    if (!document.hidden) {
      try {
        render(await call('GET', 'replication/status'));
        failures = 0;
        connected();
      } catch (e) {
        if (signal.aborted) return;
        if (e.status === 401) return refused('The server does not accept this token any more.');
        failures++;
        failed(e);
      }
    }
    const pause = failures === 0 ? POLL_MS : Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** (failures - 1));
    await Promise.race([waiting, sleep(pause)]);
    await sleep(SETTLE_MS);
  }
}

/** Events only say that something happened; what happened is in the status. */
async function listen(signal) {
  let pause = RETRY_FIRST_MS;
  while (!signal.aborted) {
    try {
      await events('replication/events', signal, () => {
        pause = RETRY_FIRST_MS;
        wake();
      });
    } catch {
      if (signal.aborted) return;
    }
    await sleep(pause);
    pause = Math.min(RETRY_MOST_MS, pause * 2);
  }
}

async function inform(signal) {
  while (!signal.aborted) {
    try {
      renderInfo(await call('GET', 'status/database'));
    } catch {
      // The watch tells about lost connections. Adding a table says it if there is no source.
      hasSource ??= true;
    }
    try {
      if (hasSource) renderSource(await call('GET', 'replication/source'));
    } catch {
      // What it said last still stands; the tables say that it fails now.
    }
    await sleep(INFO_EVERY_MS);
  }
}

function connected() {
  lastAnswerAt = new Date();
  show(at('lost'), '');
  at('main').classList.remove('stale');
  linkOf(current ?? []);
}

/** The server answers: what of its tables is well. */
function linkOf(all) {
  const running = all.filter((table) => table.state !== 'paused');
  const failing = running.filter(isFailing).length;
  const waiting = all.filter(needsAttention).length;
  if (failing > 0) {
    const which = failing === running.length ? (failing === 1 ? 'the table fails' : 'all tables fail') : null;
    return link('bad', which ?? (failing === 1 ? 'live, 1 table fails' : `live, ${failing} tables fail`));
  }
  if (waiting > 0) return link('warn', waiting === 1 ? 'live, 1 table needs attention' : `live, ${waiting} tables need attention`);
  link('on', 'live');
}

function failed(e) {
  if (e instanceof ApiError && e.status !== 0) {
    link('bad', `error ${e.status}`);
    show(at('lost'), e.message);
    return;
  }
  link('bad', 'connection lost');
  at('main').classList.add('stale');
  const since = lastAnswerAt ? ` What you see is from ${clock(lastAnswerAt)}.` : '';
  show(at('lost'), `${e.message}${since} The page tries again by itself.`);
}

function link(state, text) {
  at('link').dataset.state = state;
  say(at('link-text'), text);
}

// What is shown

function render(status) {
  current = Array.isArray(status) ? status : status.tables;
  const now = Date.now();
  const source = Array.isArray(status) ? null : status.source;
  show(at('source-trouble'), source ? `${source.message} Since ${clock(new Date(source.since))} it holds up ${source.tables.join(', ')}.` : '');
  const total = tables.render(current, now, source);
  at('tables').hidden = current.length === 0;
  showEmpty();
  at('sync-all').disabled = current.length === 0;
  if (current.length > 0) query.suggest(newestOf(current[0].name, 20));
  say(at('fact-rows'), count(current.reduce((sum, table) => sum + (table.rowCount ?? 0), 0)));
  say(at('fact-rate'), `${rate(total)} rows/s`);
  const lags = current.filter((table) => table.state !== 'paused').map((table) => table.lag).filter(Number.isFinite);
  say(at('fact-lag'), lags.length ? duration(Math.max(...lags)) : '–');
}

function renderInfo(info) {
  say(at('fact-size'), bytes(info.internal?.databaseBytes ?? NaN));
  hasSource = info.external?.status !== 'none';
  showEmpty();
  at('where').querySelector('[value="external"]').disabled = !hasSource;
  at('place').hidden = !info.external?.place;
  say(at('place'), [info.external?.product, info.external?.place].filter(Boolean).join(' · '));
}

/** What the source can prove, and what stands in the way of more. */
function renderSource(source) {
  const obstacles = source.obstacles ?? [];
  const promise = source.guarantee === 'complete' ? 'copies can be complete' : 'copies are settled at best';
  const what = [source.isStandby ? 'a standby' : '', source.isPooled ? 'behind a pooler' : ''].filter(Boolean).join(', ');
  const more = obstacles.length === 0 ? '' : `, ${obstacles.length} ${obstacles.length === 1 ? 'remark' : 'remarks'}`;
  const line = `Source: ${source.product}${what ? `, ${what}` : ''}, read as ${source.user}: ${promise}${more}`;
  say(at('source-line'), line);
  at('source').dataset.state = obstacles.some((one) => one.effect === 'wrong' || one.effect === 'weaker') ? 'warn' : 'on';
  at('source').hidden = false;
  const facts = JSON.stringify(obstacles);
  if (facts === shownObstacles) return; // so that a selection stays
  shownObstacles = facts;
  at('source-obstacles').replaceChildren(...obstacles.map(obstacle));
}

function obstacle({ what, statements }) {
  const codes = statements.flatMap((sql, i) => [i === 0 ? ' To change it: ' : ' or ', h('code', {}, `${sql};`)]);
  return h('li', {}, `${what}.`, ...codes);
}

/** What to do where there is nothing to show. */
function showEmpty() {
  if (hasSource === null || current === null) return;
  const isEmpty = current.length === 0;
  at('no-source').hidden = !isEmpty || hasSource;
  at('add-open').disabled = !hasSource;
  if (isEmpty && hasSource && at('empty').hidden) openAdd(true, false);
  at('empty').hidden = !isEmpty || !hasSource;
  say(
    at('empty-curl'),
    `curl ${location.origin}/replication/tables \\\n  -H "Authorization: Bearer $ADMIN_AUTHORIZATION_TOKEN" \\\n` +
      `  -H 'Content-Type: application/json' \\\n` +
      `  -d '{"tables":[{"name":"orders","cursorColumn":"updated_at","intervalMs":1000}]}'`,
  );
}

// What the user asks for

async function act(action) {
  show(at('tables-error'), '');
  try {
    const result = await action();
    const failure = result?.results?.find((one) => one.error);
    if (failure) wake();
  } catch (e) {
    if (e.status === 401) return refused('The server does not accept this token any more.');
    show(at('tables-error'), e.message);
  } finally {
    wake();
  }
}

function openAdd(isOpen, focus = true) {
  at('add').hidden = !isOpen;
  at('add-open').setAttribute('aria-expanded', String(isOpen));
  if (isOpen && focus) at('add-name').focus();
}

async function addTable(event) {
  event.preventDefault();
  show(at('add-error'), '');
  try {
    await call('POST', 'replication/tables', {
      name: at('add-name').value.trim(),
      cursorColumn: at('add-cursor').value.trim(),
      intervalMs: Math.round(Number(at('add-seconds').value) * 1000),
    });
    at('add').reset();
    openAdd(false);
  } catch (e) {
    show(at('add-error'), e.message);
  }
  wake();
}

function tablePath(name) {
  return `replication/tables/${encodeURIComponent(name)}`;
}

function newestOf(name, rows) {
  const table = current.find((one) => one.name === name);
  const order = table.cursorColumn ? ` ORDER BY ${quoted(table.cursorColumn)} DESC` : '';
  return `SELECT * FROM ${quoted(table.target ?? name)}${order} LIMIT ${rows}`;
}

function quoted(name) {
  return `"${name.replaceAll('"', '""')}"`;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
