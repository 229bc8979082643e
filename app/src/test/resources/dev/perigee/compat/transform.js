// Asks a server as a client of StarbaseDB does, and reads the answers with the client's own package.
const { transformStarbaseResult } = require("@outerbase/sdk-transform");
const [address, token] = process.argv.slice(2);

async function raw(sql, params) {
  const answer = await fetch(address + "/query/raw", {
    method: "POST",
    headers: { Authorization: "Bearer " + token, "Content-Type": "application/json" },
    body: JSON.stringify({ sql, params }),
  });
  return transformStarbaseResult((await answer.json()).result);
}

(async () => {
  const asked = [
    ["CREATE TABLE compat (id INTEGER PRIMARY KEY, name TEXT, price REAL)"],
    ["INSERT INTO compat (name, price) VALUES (?, ?), ('two', NULL)", ["one", 1.5]],
    ["SELECT * FROM compat ORDER BY id"],
    ["SELECT a.id, b.id FROM compat a JOIN compat b ON a.id < b.id"],
    ["SELECT * FROM compat WHERE id < 0"],
    ['SELECT rowid, * FROM "main"."compat" LIMIT 1 OFFSET 1'],
    ["INSERT INTO compat (name) VALUES ('three') RETURNING id, name"],
  ];
  const results = [];
  for (const [sql, params] of asked) results.push(await raw(sql, params));
  console.log(JSON.stringify(results));
})();
