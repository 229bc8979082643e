// The studio's page. It knows no token: a cookie that no script can read says who asks.
const $ = id => document.getElementById(id);
const PAGE = 100;
let csrf = null;
let objects = [];
let table = null; // {name, type, columns, key, sql}
let view = { offset: 0, order: null, down: false, where: "" };
let shown = { columns: [], rows: [] };
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
  if (answer.status === 401 && path !== "/login") showGate();
  if (said.error) throw new Error(said.error);
  return said.result;
}

const query = (statements, signal) =>
  call("/query", { ...(typeof statements === "string" ? { sql: statements } : { statements }), source: $("source").value }, signal);

/* Cells: null, a text, {i}, {r}, {b, n}, {t, n}. */
const plain = cell =>
  cell === null ? null : typeof cell === "string" ? cell : cell.i ?? cell.r ?? cell.t ?? "x'" + cell.b + (cell.b.length < 2 * cell.n ? "…" : "") + "'";
const isWhole = cell => cell === null || typeof cell === "string" || cell.i !== undefined || cell.r !== undefined || (cell.b !== undefined && cell.b.length === 2 * cell.n);
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

async function enter() {
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
    csrf = (await call("/login", { user: $("user").value, password: $("password").value })).csrf;
    $("password").value = "";
    await enter();
  } catch (error) {
    say("login-error", error.message);
  }
});

$("logout").addEventListener("click", async () => {
  await call("/logout", {}).catch(() => {});
  $("answers").replaceChildren();
  $("grid").replaceChildren();
  showGate();
});

/* The schema */
const INTERNAL_OBJECTS =
  "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name LIKE 'tmp~_%' ESCAPE '~', name";
const EXTERNAL_OBJECTS =
  "SELECT CASE WHEN table_schema = 'public' THEN table_name ELSE table_schema || '.' || table_name END AS name, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS type, table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";

async function showObjects() {
  try {
    const answer = (await query(isInternal() ? INTERNAL_OBJECTS : EXTERNAL_OBJECTS)).answers[0];
    objects = answer.rows.map(row => ({
      name: plain(row[0]),
      type: plain(row[1]),
      path: isInternal() ? quoted(plain(row[0])) : quoted(plain(row[2])) + "." + quoted(plain(row[3])),
    }));
    say("error");
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
  table = { ...object, columns: [], key: [], sql: "" };
  view = { offset: 0, order: null, down: false, where: "" };
  $("where").value = "";
  say("current", object.name);
  listObjects();
  try {
    await describe();
    if ($("panel-sql").hidden === false) select("rows");
    await showRows();
  } catch (error) {
    say("rows-error", error.message);
  }
}

async function describe() {
  const box = $("structure");
  if (!isInternal()) {
    const [schema, name] = table.path.slice(1, -1).split('"."').map(part => part.replaceAll('""', '"'));
    const answer = await query([
      {
        sql: "SELECT column_name AS name, data_type AS type, is_nullable AS nullable, column_default AS \"default\" FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
        params: [schema, name],
      },
    ]);
    box.replaceChildren(grid(answer.answers[0].columns, answer.answers[0].rows));
    $("ddl").textContent = "";
    return;
  }
  const asked = [
    "SELECT name, type, \"notnull\", dflt_value AS \"default\", pk, hidden FROM pragma_table_xinfo(?1)",
    "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1)",
    "SELECT \"from\", \"table\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1)",
    "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY type <> 'table', type, name",
  ];
  const { answers } = await query(asked.map(sql => ({ sql, params: [table.name] })));
  table.columns = answers[0].rows.map(row => ({ name: plain(row[0]), type: plain(row[1]), pk: Number(plain(row[4])), hidden: Number(plain(row[5])) }));
  table.key = table.columns.filter(column => column.pk > 0).sort((a, b) => a.pk - b.pk).map(column => column.name);
  const parts = [["Columns", answers[0]], ["Indexes", answers[1]], ["Foreign keys", answers[2]]];
  box.replaceChildren(
    ...parts
      .filter(([, answer]) => answer.rows.length > 0)
      .map(([title, answer]) => element("div", { className: "answer" }, element("span", { className: "said", textContent: title }), grid(answer.columns, answer.rows))),
  );
  $("ddl").textContent = answers[3].rows.map(row => plain(row[2]) + ";").join("\n\n");
}

/* Rows */
const canEdit = () => isInternal() && table?.type === "table" && (table.key.length > 0 || !table.columns.some(column => column.name.toLowerCase() === "rowid"));
const identity = () => (table.key.length > 0 ? table.key.map(quoted) : ["rowid"]);
const clean = () => ({ changes: new Map(), deleted: new Set(), added: [] });
const stagedCount = () => staged.changes.size + staged.deleted.size + staged.added.length;

function mayLeave() {
  if (stagedCount() === 0) return true;
  if (!confirm("Leave the changes that are not saved?")) return false;
  staged = clean();
  return true;
}

async function showRows() {
  staged = clean();
  say("rows-error");
  const where = view.where ? ` WHERE ${view.where}` : "";
  const order = view.order ? ` ORDER BY ${quoted(view.order)}${view.down ? " DESC" : ""}` : "";
  const keys = canEdit() ? identity().join(", ") + ", " : "";
  const sql = `SELECT ${keys}* FROM ${table.path}${where}${order} LIMIT ${PAGE + 1} OFFSET ${view.offset}`;
  try {
    const answer = (await query([{ sql, params: [] }])).answers[0];
    const skipped = canEdit() ? identity().length : 0;
    shown = {
      columns: answer.columns.slice(skipped),
      keys: answer.rows.map(row => row.slice(0, skipped)),
      rows: answer.rows.map(row => row.slice(skipped)),
    };
  } catch (error) {
    shown = { columns: [], keys: [], rows: [] };
    say("rows-error", error.message);
  }
  drawRows();
}

function drawRows() {
  const count = Math.min(shown.rows.length, PAGE);
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
  const changed = stagedCount();
  $("save").hidden = $("discard").hidden = changed === 0;
  say("staged", changed === 0 ? "" : `${changed} ${changed === 1 ? "change" : "changes"} not saved`);
}

function knownRow(row, index) {
  const tr = element("tr", { className: staged.deleted.has(index) ? "deleted" : "" });
  if (canEdit()) {
    const button = element("button", { type: "button", textContent: staged.deleted.has(index) ? "↺" : "×", title: "Delete this row" });
    button.addEventListener("click", () => {
      if (!staged.deleted.delete(index)) staged.deleted.add(index);
      drawRows();
    });
    tr.append(element("td", { className: "tool" }, button));
  }
  row.forEach((cell, column) => {
    const td = element("td");
    const at = index + ":" + column;
    const now = staged.changes.has(at) ? staged.changes.get(at) : cell;
    fill(td, now);
    if (staged.changes.has(at)) td.classList.add("changed");
    if (canEdit() && isWhole(cell) && isWritable(column)) {
      td.addEventListener("dblclick", () =>
        edit(td, now, value => {
          if (JSON.stringify(value) === JSON.stringify(cell)) staged.changes.delete(at);
          else staged.changes.set(at, value);
        }),
      );
    }
    tr.append(td);
  });
  return tr;
}

function addedRow(row, index) {
  const tr = element("tr", { className: "added" });
  const button = element("button", { type: "button", textContent: "×", title: "Do not add this row" });
  button.addEventListener("click", () => {
    staged.added.splice(index, 1);
    drawRows();
  });
  tr.append(element("td", { className: "tool" }, button));
  shown.columns.forEach((name, column) => {
    const td = element("td");
    if (name in row) fill(td, row[name]);
    else Object.assign(td, { textContent: "default", className: "null" });
    if (isWritable(column)) td.addEventListener("dblclick", () => edit(td, row[name] ?? null, value => (row[name] = value)));
    tr.append(td);
  });
  return tr;
}

const isWritable = column => (table.columns.find(each => each.name === shown.columns[column])?.hidden ?? 0) === 0;

/* What is typed is a text; a number where the cell had one, or the column's type says so. */
function typed(text, before, type) {
  const isNumber = (before !== null && typeof before !== "string" && before.b === undefined) || /INT|REAL|FLOA|DOUB|NUM|DEC/i.test(type);
  if (isNumber && /^\s*[+-]?\d{1,19}\s*$/.test(text)) {
    const number = BigInt(text.trim());
    if (number >= -(2n ** 63n) && number < 2n ** 63n) return { i: String(number) };
  }
  if (isNumber && text.trim() !== "" && Number.isFinite(Number(text))) return { r: text.trim() };
  const blob = /^x'((?:[0-9a-f]{2})*)'$/i.exec(text);
  if (blob) return { b: blob[1].toLowerCase(), n: blob[1].length / 2 };
  return text;
}

function edit(td, before, keep) {
  const column = shown.columns[[...td.parentElement.children].indexOf(td) - 1];
  const type = table.columns.find(each => each.name === column)?.type ?? "";
  const input = element("input", { value: before === null ? "" : plain(before), spellcheck: false });
  input.setAttribute("aria-label", column);
  td.replaceChildren(input);
  input.focus();
  input.select();
  let isDone = false;
  const end = value => {
    if (isDone) return;
    isDone = true;
    if (value !== undefined) keep(value);
    drawRows();
  };
  const text = () => (input.value === "" && before === null ? undefined : typed(input.value, before, type));
  input.addEventListener("keydown", event => {
    if (event.key === "Enter") end(text());
    else if (event.key === "Escape") end(undefined);
    else if (event.key === "Backspace" && event.ctrlKey) end(null);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => end(text()));
}

$("add").addEventListener("click", () => {
  staged.added.unshift({});
  drawRows();
});
$("discard").addEventListener("click", () => {
  staged = clean();
  drawRows();
});
$("save").addEventListener("click", async () => {
  const statements = [];
  const is = identity().map(name => `${name} IS ?`).join(" AND ");
  for (const index of staged.deleted) statements.push({ sql: `DELETE FROM ${table.path} WHERE ${is} RETURNING 1`, params: shown.keys[index].map(sent) });
  const byRow = new Map();
  for (const [at, value] of staged.changes) {
    const [index, column] = at.split(":").map(Number);
    if (staged.deleted.has(index)) continue;
    if (!byRow.has(index)) byRow.set(index, []);
    byRow.get(index).push([shown.columns[column], value]);
  }
  for (const [index, values] of byRow) {
    const set = values.map(([name]) => `${quoted(name)} = ?`).join(", ");
    statements.push({
      sql: `UPDATE ${table.path} SET ${set} WHERE ${is} RETURNING 1`,
      params: [...values.map(([, value]) => sent(value)), ...shown.keys[index].map(sent)],
    });
  }
  const checked = statements.length;
  for (const row of [...staged.added].reverse()) {
    const names = Object.keys(row);
    const sql = names.length === 0
      ? `INSERT INTO ${table.path} DEFAULT VALUES`
      : `INSERT INTO ${table.path} (${names.map(quoted).join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
    statements.push({ sql, params: names.map(name => sent(row[name])) });
  }
  try {
    const { answers } = await query(statements);
    const lost = answers.slice(0, checked).filter(answer => answer.rows.length === 0).length;
    await showRows();
    if (lost > 0) say("rows-error", `${lost} of the rows were not there any more; somebody else has removed or renamed them.`);
  } catch (error) {
    say("rows-error", error.message);
  }
});
$("filter").addEventListener("submit", event => {
  event.preventDefault();
  if (!table || !mayLeave()) return;
  view = { ...view, offset: 0, where: $("where").value.trim() };
  showRows();
});
$("before").addEventListener("click", () => mayLeave() && ((view.offset = Math.max(0, view.offset - PAGE)), showRows()));
$("after").addEventListener("click", () => mayLeave() && ((view.offset += PAGE), showRows()));
$("count").addEventListener("click", async () => {
  try {
    const where = view.where ? ` WHERE ${view.where}` : "";
    const answer = (await query([{ sql: `SELECT count(*) FROM ${table.path}${where}`, params: [] }])).answers[0];
    say("staged", `${Number(plain(answer.rows[0][0])).toLocaleString("en")} rows`);
  } catch (error) {
    say("rows-error", error.message);
  }
});

/* SQL */
async function run(sql, show) {
  if (!sql.trim() || running) return;
  running = new AbortController();
  $("cancel").hidden = false;
  $("run").disabled = $("plan").disabled = true;
  say("error");
  say("said", "running…");
  try {
    const result = await query(sql, running.signal);
    $("answers").replaceChildren(...show(result.answers));
    say("said", `${result.ms} ms`);
  } catch (error) {
    say("said", "");
    say("error", error.name === "AbortError" ? "The statement was cancelled." : error.message);
  } finally {
    running = null;
    $("cancel").hidden = true;
    $("run").disabled = $("plan").disabled = false;
  }
}

function shownAnswers(answers) {
  return answers.map((answer, index) => {
    const rows = answer.rows.length;
    const text = answer.columns.length === 0 ? `${answer.written} rows written` : `${rows}${answer.more ? " (the first)" : ""} ${rows === 1 ? "row" : "rows"}${answer.written ? `, ${answer.written} written` : ""}`;
    const said = element("span", { className: "said", textContent: (answers.length > 1 ? `${index + 1}: ` : "") + text });
    const table = answer.columns.length === 0 ? [] : [element("div", { className: "scroll" }, grid(answer.columns, answer.rows))];
    return element("div", { className: "answer" }, said, ...table);
  });
}

function shownPlan(answers) {
  const answer = answers[0];
  if (answer.columns.length !== 4) return shownAnswers(answers);
  const nodes = new Map([["0", element("ul", { className: "plan" })]]);
  for (const row of answer.rows) {
    const [id, parent, , detail] = row.map(plain);
    const below = element("ul", { className: "plan" });
    nodes.set(id, below);
    (nodes.get(parent) ?? nodes.get("0")).append(element("li", {}, detail, below));
  }
  return [element("div", { className: "answer" }, nodes.get("0"))];
}

function runEditor() {
  const box = $("sql");
  const marked = box.value.slice(box.selectionStart, box.selectionEnd);
  const sql = marked.trim() ? marked : box.value;
  remember(sql);
  run(sql, shownAnswers).then(() => /\b(create|drop|alter)\b/i.test(sql) && showObjects());
}

$("run").addEventListener("click", runEditor);
$("plan").addEventListener("click", () => run((isInternal() ? "EXPLAIN QUERY PLAN " : "EXPLAIN ") + $("sql").value, shownPlan));
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
$("source").addEventListener("change", () => {
  if (!mayLeave()) return;
  table = null;
  say("current");
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
  .then(session => {
    csrf = session.csrf;
    return enter();
  })
  .catch(showGate);
