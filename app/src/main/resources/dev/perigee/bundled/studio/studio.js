// The studio's page. It knows no token: a cookie that no script can read says who asks.
const $ = id => document.getElementById(id);
const PAGE = 100;
let csrf = null;
let objects = [];
let table = null; // {name, type, columns, key, rowid}; of the external database {schema, table} too
let view = { offset: 0, order: null, down: false, where: "" };
let shown = { columns: [], keys: [], rows: [] };
let asked = 0; // The last question for rows: an answer to an earlier one comes too late.
let staged = { changes: new Map(), deleted: new Set(), added: [] };
let running = null;

const quoted = name => '"' + name.replaceAll('"', '""') + '"';
const isInternal = () => $("source").value === "internal";

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(made.dataset, value);
    else if (name.startsWith("aria")) made.setAttribute(name.replace("aria", "aria-").toLowerCase(), value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

function say(id, text) {
  $(id).textContent = text ?? "";
  if ($(id).classList.contains("error")) $(id).hidden = !text;
}

async function call(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  if (csrf) headers["X-Studio-Csrf"] = csrf;
  const answer = await fetch("/studio" + path, {
    method: body === undefined ? "GET" : "POST",
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  });
  const said = await answer.json();
  // Not by its status, which `compat: strict` changes.
  if (answer.headers.has("WWW-Authenticate") && path !== "/login") showGate();
  if (said.error) throw new Error(said.error);
  return said.result;
}

const query = (statements, { signal, plan = false } = {}) =>
  call("/query", { ...(typeof statements === "string" ? { sql: statements, plan } : { statements }), source: $("source").value }, signal);

/* Cells: null, a text, {i}, {r}, {b, n}, {t, n}. */
const plain = cell =>
  cell === null ? null : typeof cell === "string" ? cell : cell.i ?? cell.r ?? cell.t ?? "x'" + cell.b + (cell.b.length < 2 * cell.n ? "…" : "") + "'";
const isWhole = cell => cell === null || typeof cell === "string" || cell.i !== undefined || cell.r !== undefined || (cell.b !== undefined && cell.b.length === 2 * cell.n);
const same = (a, b) => {
  const parts = cell => JSON.stringify(cell === null || typeof cell === "string" ? cell : [cell.i, cell.r, cell.b]);
  return parts(a) === parts(b);
};
const sent = cell => (cell !== null && cell.b !== undefined ? { b: cell.b } : cell);

function fill(td, cell) {
  td.className = "";
  if (cell === null) {
    td.textContent = "NULL";
    td.classList.add("null");
  } else if (typeof cell === "string") {
    td.textContent = cell;
    td.title = cell.length > 40 ? cell : "";
  } else if (cell.b !== undefined) {
    td.textContent = `${cell.n} bytes ${plain(cell).slice(0, 34)}`;
    td.classList.add("blob");
  } else {
    td.textContent = cell.t !== undefined ? `${cell.t.slice(0, 200)}… (${cell.n} characters)` : plain(cell);
    if (cell.t === undefined) td.classList.add("number");
  }
}

function grid(columns, rows) {
  const body = element("tbody");
  for (const row of rows) {
    const tr = element("tr");
    for (const cell of row) {
      const td = element("td");
      fill(td, cell);
      tr.append(td);
    }
    body.append(tr);
  }
  const head = element("tr", {}, ...columns.map(name => element("th", { textContent: name, scope: "col" })));
  return element("table", {}, element("thead", {}, head), body);
}

/* Signing in */
function showGate() {
  csrf = null;
  $("gate").hidden = false;
  $("studio").hidden = true;
  $("bar-end").hidden = true;
  $("user").focus();
}

async function enter(session) {
  csrf = session.csrf;
  const seconds = ms => `${ms / 1000} s`;
  say("limits", `A read may take ${seconds(session.readMs)}, a write ${seconds(session.writeMs)}. The first ${session.rows} rows of each answer are shown. Several statements run as one transaction.`);
  $("gate").hidden = true;
  $("studio").hidden = false;
  $("bar-end").hidden = false;
  showHistory();
  await showObjects();
}

$("login").addEventListener("submit", async event => {
  event.preventDefault();
  say("login-error");
  try {
    const session = await call("/login", { user: $("user").value, password: $("password").value });
    $("password").value = "";
    await enter(session);
  } catch (error) {
    say("login-error", error.message);
  }
});

$("logout").addEventListener("click", async () => {
  if (!mayLeave()) return;
  await call("/logout", {}).catch(() => {});
  location.reload(); // So that nothing of what was shown stays.
});

/* The schema */
const INTERNAL_OBJECTS =
  "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name LIKE 'tmp~_%' ESCAPE '~', name";
const EXTERNAL_OBJECTS =
  "SELECT CASE WHEN table_schema = 'public' THEN table_name ELSE table_schema || '.' || table_name END AS name, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS type, table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";

async function showObjects() {
  try {
    const answer = (await query(isInternal() ? INTERNAL_OBJECTS : EXTERNAL_OBJECTS)).answers[0];
    objects = answer.rows.map(row => ({
      name: plain(row[0]),
      type: plain(row[1]),
      hasRowid: isInternal() && plain(row[2]) === "0",
      schema: isInternal() ? "main" : plain(row[2]),
      table: isInternal() ? plain(row[0]) : plain(row[3]),
      path: isInternal() ? quoted(plain(row[0])) : quoted(plain(row[2])) + "." + quoted(plain(row[3])),
    }));
  } catch (error) {
    objects = [];
    say("error", error.message);
  }
  listObjects();
}

function listObjects() {
  const wanted = $("search").value.toLowerCase();
  $("objects").replaceChildren(
    ...objects
      .filter(object => object.name.toLowerCase().includes(wanted))
      .map(object => {
        const button = element(
          "button",
          { type: "button", title: object.name, className: object.name.startsWith("tmp_") ? "own" : "" },
          element("span", { textContent: object.name }),
          element("span", { className: "kind", textContent: object.type === "table" ? "" : object.type }),
        );
        button.setAttribute("aria-current", String(table?.path === object.path));
        button.addEventListener("click", () => open(object));
        return element("li", {}, button);
      }),
  );
}

async function open(object) {
  if (!mayLeave()) return;
  asked++;
  const opened = { ...object, columns: [], key: [], rowid: null };
  table = opened;
  view = { offset: 0, order: null, down: false, where: "" };
  $("where").value = "";
  showPlace();
  listObjects();
  try {
    await describe(opened);
    if (table !== opened) return;
    if ($("panel-sql").hidden === false) select("rows");
    await showRows();
  } catch (error) {
    say("rows-error", error.message);
  }
}

async function describe(table) {
  const box = $("structure");
  if (!isInternal()) {
    const answer = await query([
      {
        sql: "SELECT column_name AS name, data_type AS type, is_nullable AS nullable, column_default AS \"default\" FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
        params: [table.schema, table.table],
      },
    ]);
    box.replaceChildren(grid(answer.answers[0].columns, answer.answers[0].rows));
    $("ddl").textContent = "";
    return;
  }
  const questions = [
    "SELECT name, type, \"notnull\", dflt_value AS \"default\", pk, hidden FROM pragma_table_xinfo(?1)",
    "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1)",
    "SELECT \"from\", \"table\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1)",
    "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY type <> 'table', type, name",
  ];
  const { answers } = await query(questions.map(sql => ({ sql, params: [table.name] })));
  table.columns = answers[0].rows.map(row => ({ name: plain(row[0]), type: plain(row[1]), pk: Number(plain(row[4])), hidden: Number(plain(row[5])) }));
  table.key = table.columns.filter(column => column.pk > 0).sort((a, b) => a.pk - b.pk).map(column => column.name);
  const taken = table.columns.map(column => column.name.toLowerCase());
  table.rowid = table.hasRowid ? ["rowid", "_rowid_", "oid"].find(name => !taken.includes(name)) ?? null : null;
  const parts = [["Columns", answers[0]], ["Indexes", answers[1]], ["Foreign keys", answers[2]]];
  box.replaceChildren(
    ...parts
      .filter(([, answer]) => answer.rows.length > 0)
      .map(([title, answer]) => element("div", { className: "answer" }, element("span", { className: "said", textContent: title }), grid(answer.columns, answer.rows))),
  );
  $("ddl").textContent = answers[3].rows.map(row => plain(row[2]) + ";").join("\n\n");
}

/* Rows */
const canEdit = () => isInternal() && table?.type === "table" && (table.key.length > 0 || table.rowid !== null);
/* A key that is not the rowid may be NULL in several rows, so both say which row is meant. */
const identity = () => [...table.key.map(quoted), ...(table.rowid === null ? [] : [table.rowid])];
const clean = () => ({ changes: new Map(), deleted: new Set(), added: [] });
const stagedCount = () => staged.changes.size + staged.deleted.size + staged.added.length;

function mayLeave() {
  if (stagedCount() === 0) return true;
  if (!confirm("Discard the changes that are not saved?")) return false;
  staged = clean();
  return true;
}

async function showRows() {
  const question = ++asked;
  staged = clean();
  say("rows-error");
  const keys = canEdit() ? identity() : [];
  const where = view.where ? ` WHERE (${view.where}\n)` : ""; // A comment ends with its line.
  const order = view.order === null ? [] : [quoted(view.order) + (view.down ? " DESC" : ""), ...keys];
  const sql = `SELECT ${keys.map(key => key + ", ").join("")}* FROM ${table.path}${where}${order.length > 0 ? ` ORDER BY ${order.join(", ")}` : ""} LIMIT ${PAGE + 1} OFFSET ${view.offset}`;
  let found = { columns: [], keys: [], rows: [] };
  let failure = null;
  try {
    const answer = (await query([{ sql, params: [] }])).answers[0];
    found = {
      columns: answer.columns.slice(keys.length),
      keys: answer.rows.map(row => row.slice(0, keys.length)),
      rows: answer.rows.map(row => row.slice(keys.length)),
    };
  } catch (error) {
    failure = error.message;
  }
  if (question !== asked) return;
  shown = found;
  say("rows-error", failure);
  drawRows();
}

function showStaged() {
  const changed = stagedCount();
  $("save").hidden = $("discard").hidden = changed === 0;
  say("staged", changed === 0 ? "" : `${changed} ${changed === 1 ? "change" : "changes"} not saved`);
}

function showPlace() {
  $("rows-none").hidden = table !== null;
  $("rows-work").hidden = table === null;
  say("current", table?.name);
}

function drawRows() {
  $("edit-hint").hidden = !canEdit();
  say("read-only", canEdit() ? "" : isInternal() ? "Use SQL to change rows of views and virtual tables." : "Use SQL to change rows of the external database.");
  const count = Math.min(shown.rows.length, PAGE);
  say("counted");
  say("page-place", count === 0 ? "no rows" : `${view.offset + 1} – ${view.offset + count}`);
  $("before").disabled = view.offset === 0;
  $("after").disabled = shown.rows.length <= PAGE;
  $("add").hidden = !canEdit();
  for (const format of ["csv", "json"]) {
    $("export-" + format).hidden = !isInternal();
    $("export-" + format).href = `/studio/export/${format}?table=${encodeURIComponent(table.name)}`;
  }
  const head = element("tr");
  if (canEdit()) head.append(element("th"));
  for (const name of shown.columns) {
    const button = element("button", { type: "button", textContent: name + (view.order === name ? (view.down ? " ↓" : " ↑") : "") });
    button.addEventListener("click", () => {
      if (!mayLeave()) return;
      view = { ...view, offset: 0, order: name, down: view.order === name && !view.down };
      showRows();
    });
    head.append(element("th", { scope: "col" }, button));
  }
  const body = element("tbody");
  staged.added.forEach((row, index) => body.append(addedRow(row, index)));
  shown.rows.slice(0, PAGE).forEach((row, index) => body.append(knownRow(row, index)));
  $("grid").replaceChildren(element("table", {}, element("thead", {}, head), body));
  const first = $("grid").querySelector("td:not(.tool)");
  if (first) first.tabIndex = 0;
  showStaged();
}

function knownRow(row, index) {
  const tr = element("tr", { className: staged.deleted.has(index) ? "deleted" : "" });
  const isKnown = canEdit() && shown.keys[index].every(isWhole);
  if (canEdit()) {
    const td = element("td", { className: "tool" });
    if (isKnown) {
      const isDeleted = staged.deleted.has(index);
      const button = element("button", { type: "button", textContent: isDeleted ? "↺" : "×", title: isDeleted ? "Keep this row" : "Delete this row" });
      button.setAttribute("aria-label", button.title);
      button.addEventListener("click", () => {
        if (!staged.deleted.delete(index)) staged.deleted.add(index);
        drawRows();
        $("grid").querySelectorAll("tbody tr")[staged.added.length + index]?.querySelector("button")?.focus();
      });
      td.append(button);
    }
    tr.append(td);
  }
  row.forEach((cell, column) => {
    const at = index + ":" + column;
    const read = () => ({ value: staged.changes.has(at) ? staged.changes.get(at) : cell, isChanged: staged.changes.has(at) });
    const keep = value => {
      if (same(value, cell)) staged.changes.delete(at);
      else staged.changes.set(at, value);
    };
    tr.append(cellOf(column, read, isKnown && isWhole(cell) && isWritable(column) ? keep : null));
  });
  return tr;
}

function addedRow(row, index) {
  const tr = element("tr", { className: "added" });
  const button = element("button", { type: "button", textContent: "×", title: "Do not add this row" });
  button.setAttribute("aria-label", button.title);
  button.addEventListener("click", () => {
    staged.added.splice(index, 1);
    drawRows();
  });
  tr.append(element("td", { className: "tool" }, button));
  shown.columns.forEach((name, column) => {
    const read = () => (row.has(name) ? { value: row.get(name) } : { value: null, isDefault: true });
    tr.append(cellOf(column, read, isWritable(column) ? value => row.set(name, value) : null));
  });
  return tr;
}

/* A cell of the grid; `keep` takes what it is changed to. */
const editors = new WeakMap();
function cellOf(column, read, keep) {
  const td = element("td", { tabIndex: -1 });
  const paint = () => {
    const { value, isDefault = false, isChanged = false } = read();
    fill(td, value);
    if (isDefault) td.textContent = "default";
    td.classList.toggle("changed", isChanged);
  };
  paint();
  if (keep !== null) {
    const put = value => {
      keep(value);
      paint();
      showStaged();
    };
    editors.set(td, { edit: () => edit(td, shown.columns[column], read().value, put, paint), clear: () => put(null) });
  }
  return td;
}

const cellAt = event => (event.target instanceof Element ? event.target.closest("#grid td:not(.tool)") : null);
$("grid").addEventListener("dblclick", event => editors.get(cellAt(event))?.edit());
let tapped = null; // A second tap on a cell is a finger's double-click.
$("grid").addEventListener("click", event => {
  if (event.pointerType !== "touch") return;
  const td = cellAt(event);
  if (td !== null && td === tapped) editors.get(td)?.edit();
  tapped = td;
});
$("grid").addEventListener("focusin", event => {
  if (event.target.tagName !== "TD") return;
  $("grid").querySelectorAll('td[tabindex="0"]').forEach(td => (td.tabIndex = -1));
  event.target.tabIndex = 0;
});
$("grid").addEventListener("keydown", event => {
  const td = event.target;
  if (td.tagName !== "TD") return;
  const row = td.parentElement;
  const place = [...row.children].indexOf(td);
  const goTo = other => other?.tagName === "TD" && !other.classList.contains("tool") && other.focus();
  if (event.key === "Enter" || event.key === "F2") editors.get(td)?.edit();
  else if (event.key === "Backspace" && event.ctrlKey) editors.get(td)?.clear();
  else if (event.key === "Delete" && event.ctrlKey) row.querySelector(".tool button")?.click();
  else if (event.key === "ArrowLeft") goTo(td.previousElementSibling);
  else if (event.key === "ArrowRight") goTo(td.nextElementSibling);
  else if (event.key === "ArrowUp") goTo(row.previousElementSibling?.children[place]);
  else if (event.key === "ArrowDown") goTo(row.nextElementSibling?.children[place]);
  else return;
  event.preventDefault();
});

const isWritable = column => (table.columns.find(each => each.name === shown.columns[column])?.hidden ?? 0) === 0;

/* What is typed is a text; a number where the cell had one, or the column's type says so. */
function typed(text, before, type) {
  const isNumber = (before !== null && typeof before !== "string" && before.b === undefined) || /INT|REAL|FLOA|DOUB|NUM|DEC/i.test(type);
  const trimmed = text.trim();
  if (isNumber && /^[+-]?\d+$/.test(trimmed)) {
    const number = BigInt(trimmed.replace("+", ""));
    if (number >= -(2n ** 63n) && number < 2n ** 63n) return { i: String(number) };
    throw new Error(`${trimmed} has more than 64 bits and would be rounded. If you want that, write it with a decimal point.`);
  }
  if (isNumber && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) && Number.isFinite(Number(trimmed))) return { r: trimmed };
  const blob = /^x'((?:[0-9a-f]{2})*)'$/i.exec(text);
  if (blob && typeof before !== "string") return { b: blob[1].toLowerCase(), n: blob[1].length / 2 };
  // The browser's box makes each end of a line one character.
  return typeof before === "string" && before.includes("\r\n") ? text.replaceAll("\n", "\r\n") : text;
}

function edit(td, name, before, put, paint) {
  if (td.querySelector("textarea")) return;
  const type = table.columns.find(each => each.name === name)?.type ?? "";
  const box = element("textarea", { value: before === null ? "" : plain(before), rows: 1, spellcheck: false });
  box.setAttribute("aria-label", name);
  const toNull = element("button", { type: "button", textContent: "NULL", tabIndex: -1 });
  td.className = "editing";
  td.replaceChildren(box, toNull);
  box.focus();
  box.select();
  let isTouched = false;
  let isDone = false;
  const end = (read, byKey) => {
    if (isDone) return;
    isDone = true;
    say("rows-error");
    try {
      const value = read();
      if (value === undefined) paint();
      else put(value);
    } catch (error) {
      paint();
      say("rows-error", error.message);
    }
    if (byKey) td.focus();
  };
  const text = () => (isTouched ? typed(box.value, before, type) : undefined);
  box.addEventListener("input", () => (isTouched = true));
  box.addEventListener("keydown", event => {
    event.stopPropagation();
    if (event.key === "Enter" && !event.shiftKey) end(text, true);
    else if (event.key === "Escape") end(() => undefined, true);
    else if (event.key === "Backspace" && event.ctrlKey) end(() => null, true);
    else return;
    event.preventDefault();
  });
  box.addEventListener("blur", () => end(text, false));
  toNull.addEventListener("pointerdown", event => event.preventDefault()); // The box keeps the focus until it is done.
  toNull.addEventListener("click", () => end(() => null, true));
}

$("add").addEventListener("click", () => {
  staged.added.unshift(new Map());
  drawRows();
});
$("discard").addEventListener("click", () => {
  staged = clean();
  drawRows();
});
/* One row each, and as it was shown; else nothing is saved. */
const CHANGED = { sql: "SELECT perigee_studio_changed(changes())", params: [] };
let isSaving = false;
async function save() {
  if (isSaving) return;
  const saved = table;
  const statements = [];
  const is = identity().map(name => `${name} IS ?`);
  for (const index of staged.deleted) {
    statements.push({ sql: `DELETE FROM ${table.path} WHERE ${is.join(" AND ")}`, params: shown.keys[index].map(sent) }, CHANGED);
  }
  const byRow = new Map();
  for (const [at, value] of staged.changes) {
    const [index, column] = at.split(":").map(Number);
    if (staged.deleted.has(index)) continue;
    if (!byRow.has(index)) byRow.set(index, []);
    byRow.get(index).push({ name: quoted(shown.columns[column]), value, before: shown.rows[index][column] });
  }
  for (const [index, changes] of byRow) {
    const set = changes.map(({ name }) => `${name} = ?`).join(", ");
    const as = [...is, ...changes.map(({ name }) => `${name} IS ?`)].join(" AND ");
    const params = [...changes.map(({ value }) => value), ...shown.keys[index], ...changes.map(({ before }) => before)];
    statements.push({ sql: `UPDATE ${table.path} SET ${set} WHERE ${as}`, params: params.map(sent) }, CHANGED);
  }
  for (const row of [...staged.added].reverse()) {
    const names = [...row.keys()];
    const sql = names.length === 0
      ? `INSERT INTO ${table.path} DEFAULT VALUES`
      : `INSERT INTO ${table.path} (${names.map(quoted).join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    statements.push({ sql, params: names.map(name => sent(row.get(name))) });
  }
  isSaving = true;
  $("rows-work").inert = true;
  try {
    await query(statements);
    staged = clean();
    if (table === saved) await showRows();
  } catch (error) {
    say("rows-error", error.message);
  } finally {
    isSaving = false;
    $("rows-work").inert = false;
  }
}
$("save").addEventListener("click", save);
$("filter").addEventListener("submit", event => {
  event.preventDefault();
  if (!table || !mayLeave()) return;
  view = { ...view, offset: 0, where: $("where").value.trim() };
  showRows();
});
function turn(pages) {
  if (!mayLeave()) return;
  view.offset = Math.max(0, view.offset + pages * PAGE);
  showRows();
}
$("before").addEventListener("click", () => turn(-1));
$("after").addEventListener("click", () => turn(1));
$("count").addEventListener("click", async () => {
  const counted = table;
  try {
    const where = view.where ? ` WHERE (${view.where}\n)` : "";
    const answer = (await query([{ sql: `SELECT count(*) FROM ${table.path}${where}`, params: [] }])).answers[0];
    if (table === counted) say("counted", `${BigInt(plain(answer.rows[0][0])).toLocaleString("en")} in all`);
  } catch (error) {
    say("rows-error", error.message);
  }
});

/* SQL */
async function run({ sql, begin }, show, plan = false) {
  if (!sql.trim() || running) return;
  running = new AbortController();
  $("cancel").hidden = false;
  $("run").disabled = $("plan").disabled = true;
  say("error");
  say("said", "running…");
  try {
    const result = await query(sql, { signal: running.signal, plan });
    $("answers").replaceChildren(...show(result.answers));
    say("said", `${result.ms} ms`);
  } catch (error) {
    say("said", "");
    say("error", error.name === "AbortError" ? "The statement was cancelled." : error.message);
    if (!plan) mark(sql, begin, error.message);
  } finally {
    running = null;
    $("cancel").hidden = true;
    $("run").disabled = $("plan").disabled = false;
  }
}

function shownAnswers(answers) {
  return answers.map((answer, index) => {
    const rows = answer.rows.length;
    const text = answer.columns.length === 0 ? `${answer.written} rows written` : `${answer.more ? "first " : ""}${rows} ${rows === 1 ? "row" : "rows"}${answer.written ? `, ${answer.written} written` : ""}`;
    const said = element("span", { className: "said", textContent: (answers.length > 1 ? `${index + 1}: ` : "") + text });
    const table = answer.columns.length === 0 ? [] : [element("div", { className: "scroll" }, grid(answer.columns, answer.rows))];
    return element("div", { className: "answer" }, said, ...table);
  });
}

/* Puts the editor's caret where the error points, where it says so of the text as it stands there. */
function mark(sql, begin, message) {
  const place = /SQL statement, line (\d+), column (\d+)/.exec(message);
  if (!place || /\bstatement \d+ of\b/i.test(message) || !$("sql").value.startsWith(sql, begin)) return;
  const lines = sql.split("\n");
  const before = lines.slice(0, place[1] - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const at = before + Number(place[2]) - 1;
  $("sql").setSelectionRange(begin + at, begin + at); // Not a selection, which alone would run next.
}

function shownPlan(answers) {
  return answers.flatMap(answer => (answer.columns.length === 4 ? [planOf(answer)] : shownAnswers([answer])));
}

function planOf(answer) {
  const nodes = new Map([["0", element("ul", { className: "plan" })]]);
  for (const row of answer.rows) {
    const [id, parent, , detail] = row.map(plain);
    const below = element("ul", { className: "plan" });
    nodes.set(id, below);
    (nodes.get(parent) ?? nodes.get("0")).append(element("li", {}, detail, below));
  }
  return element("div", { className: "answer" }, nodes.get("0"));
}

/* What is selected, or all. */
function chosen() {
  const box = $("sql");
  const marked = box.value.slice(box.selectionStart, box.selectionEnd);
  return marked.trim() ? { sql: marked, begin: box.selectionStart } : { sql: box.value, begin: 0 };
}

function runEditor() {
  const text = chosen();
  remember(text.sql);
  run(text, shownAnswers).then(() => /\b(create|drop|alter)\b/i.test(text.sql) && showObjects());
}

$("run").addEventListener("click", runEditor);
$("plan").addEventListener("click", () => run(chosen(), shownPlan, true));
$("cancel").addEventListener("click", () => running?.abort());
$("sql").addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    runEditor();
  }
});

/* History: statements only, in this browser only. */
const HISTORY = "perigee-studio-history";
const history = () => {
  try {
    return JSON.parse(localStorage.getItem(HISTORY)) ?? [];
  } catch {
    return [];
  }
};
function remember(sql) {
  const text = sql.trim();
  if (!text || text.length > 10000) return;
  try {
    localStorage.setItem(HISTORY, JSON.stringify([text, ...history().filter(each => each !== text)].slice(0, 50)));
  } catch {
    // A browser that keeps nothing has no history.
  }
  showHistory();
}
function showHistory() {
  $("history").replaceChildren(
    element("option", { value: "", textContent: "History" }),
    ...history().map(text => element("option", { value: text, textContent: text.replace(/\s+/g, " ").slice(0, 80) })),
  );
}
$("history").addEventListener("change", event => {
  if (event.target.value) $("sql").value = event.target.value;
  event.target.value = "";
  $("sql").focus();
});

/* Tabs */
function select(which) {
  for (const name of ["sql", "rows", "structure"]) {
    $("panel-" + name).hidden = name !== which;
    $("tab-" + name).setAttribute("aria-selected", String(name === which));
  }
}
for (const name of ["sql", "rows", "structure"]) $("tab-" + name).addEventListener("click", () => select(name));
$("search").addEventListener("input", listObjects);
let place = $("source").value;
$("source").addEventListener("change", () => {
  const wanted = $("source").value;
  $("source").value = place; // What is staged, if it stays, belongs there.
  if (!mayLeave()) return;
  $("source").value = place = wanted;
  asked++;
  table = null;
  shown = { columns: [], keys: [], rows: [] };
  say("error");
  say("rows-error");
  showPlace();
  $("grid").replaceChildren();
  $("structure").replaceChildren();
  $("ddl").textContent = "";
  select("sql");
  showObjects();
});
addEventListener("beforeunload", event => {
  if (stagedCount() > 0) event.preventDefault();
});

call("/session")
  .then(enter)
  .catch(showGate);
