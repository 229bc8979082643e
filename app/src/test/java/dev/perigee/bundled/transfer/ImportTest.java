package dev.perigee.bundled.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.testing.Contract;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `/import` over HTTP.
class ImportTest {
    @TempDir
    Path folder;

    private ServedPerigee perigee;
    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeEach
    void start() {
        perigee = ServedPerigee.forAdmins(folder.resolve("data"));
        perigee.query("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note, b BLOB)");
    }

    @AfterEach
    void stop() {
        http.close();
        perigee.close();
        assertThat(folder.resolve("data/imports"))
                .satisfiesAnyOf(
                        path -> assertThat(path).doesNotExist(),
                        path -> assertThat(path).isEmptyDirectory());
    }

    private HttpResponse<String> post(String path, String type, byte[] body) {
        return post(path, type, body, ServedPerigee.TOKEN);
    }

    private HttpResponse<String> post(String path, String type, byte[] body, String token) {
        try {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                            .header("Authorization", "Bearer " + token)
                            .header("Content-Type", type)
                            .POST(BodyPublishers.ofByteArray(body))
                            .build(),
                    BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpResponse<String> csv(String more, String text) {
        return post("/import/csv/people" + more, "text/csv", text.getBytes(StandardCharsets.UTF_8));
    }

    private HttpResponse<String> json(String more, String text) {
        return post("/import/json/people" + more, "application/json", text.getBytes(StandardCharsets.UTF_8));
    }

    private HttpResponse<String> form(String path, String field, String fileName, byte[] content) {
        byte[] head = "--xyz\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n\r\n"
                .formatted(field, fileName)
                .getBytes(StandardCharsets.UTF_8);
        byte[] tail = "\r\n--xyz--\r\n".getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[head.length + content.length + tail.length];
        System.arraycopy(head, 0, body, 0, head.length);
        System.arraycopy(content, 0, body, head.length, content.length);
        System.arraycopy(tail, 0, body, head.length + content.length, tail.length);
        return post(path, "multipart/form-data; boundary=xyz", body);
    }

    private String rows(String sql) {
        return perigee.query(sql).toString();
    }

    @Test
    @Contract("Kept: POST /import/csv/:table takes columnMapping")
    void csv_is_read_as_rfc_4180_says_and_columns_are_mapped() {
        String text = "\ufeffid,Full Name,note\r\n"
                + "1,\"Ann, \"\"A\"\"\",\r\n"
                + "2,\"two\nlines\",\"\"\r\n"
                + "\r\n"
                + "9007199254740993, padded ,Ünï\n";
        HttpResponse<String> answer = post(
                "/import/csv/people",
                "application/json",
                JsonMapper.shared()
                        .writeValueAsBytes(Map.of("data", text, "columnMapping", Map.of("Full Name", "name"))));
        assertThat(answer.body())
                .isEqualTo(
                        "{\"result\":{\"message\":\"Imported 3 out of 3 records successfully. 0 records failed.\",\"failedStatements\":[]}}");
        String expected = "[{\"id\":1,\"name\":\"Ann, \\\"A\\\"\",\"note\":null},"
                + "{\"id\":2,\"name\":\"two\\nlines\",\"note\":\"\"},"
                + "{\"id\":9007199254740993,\"name\":\" padded \",\"note\":\"Ünï\"}]";
        assertThat(rows("SELECT id, name, note FROM people")).isEqualTo(expected);
        perigee.query("DELETE FROM people");
        assertThat(csv("?columnMapping=%7B%22Full%20Name%22%3A%22name%22%7D", text)
                        .statusCode())
                .isEqualTo(200);
        assertThat(rows("SELECT id, name, note FROM people")).isEqualTo(expected);
        perigee.query("DELETE FROM people");
        assertThat(form("/import/csv/people", "file", "p.csv", "id,name\n5,five\n".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(200);
        assertThat(rows("SELECT id, name FROM people")).isEqualTo("[{\"id\":5,\"name\":\"five\"}]");
    }

    @Test
    @Contract("Kept: POST /import/json/:table has the original's message")
    void json_rows_keep_their_types() {
        String blob = Base64.getEncoder().encodeToString(new byte[] {0, (byte) 255});
        HttpResponse<String> answer = json("?blobs=base64", """
                {"columnMapping":{"n":"name"},"ignored":[{}],"data":[
                    {"id":9223372036854775807,"n":"a","note":0.1,"b":"%s"},
                    {"n":"b","note":true},
                    {"note":{"x":[1,null]},"n":"c"},
                    {"name":"d","note":null}]}""".formatted(blob));
        assertThat(answer.body()).contains("Imported 4 out of 4 records successfully. 0 records failed.");
        assertThat(rows("SELECT name, note, typeof(note) AS t, hex(b) AS b FROM people ORDER BY name"))
                .isEqualTo("[{\"name\":\"a\",\"note\":0.1,\"t\":\"real\",\"b\":\"00FF\"},"
                        + "{\"name\":\"b\",\"note\":1,\"t\":\"integer\",\"b\":\"\"},"
                        + "{\"name\":\"c\",\"note\":\"{\\\"x\\\":[1,null]}\",\"t\":\"text\",\"b\":\"\"},"
                        + "{\"name\":\"d\",\"note\":null,\"t\":\"null\",\"b\":\"\"}]");
        assertThat(rows("SELECT max(id) AS id FROM people")).isEqualTo("[{\"id\":9223372036854775807}]");
        assertThat(form(
                                "/import/json/people",
                                "file",
                                "p.json",
                                "[{\"id\":1,\"name\":\"x\"}]".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void what_is_exported_as_csv_or_json_is_imported_as_it_was() {
        for (String sql : List.of(
                "CREATE TABLE one (v TEXT)",
                "INSERT INTO one VALUES (NULL), (''), ('x'), (NULL), ('a' || char(13)), (' '), ('\"'), (NULL)",
                "CREATE TABLE odd (\"\" TEXT)",
                "INSERT INTO odd VALUES (NULL), (''), ('x'), ('#'), (NULL)",
                "CREATE TABLE bytes (b BLOB)",
                "INSERT INTO bytes VALUES (NULL), (x''), (x'00ff'), (x'')",
                "CREATE TABLE kinds (id INTEGER PRIMARY KEY, r REAL, n INTEGER, d DECIMAL(10,2), t TEXT, b BLOB,"
                        + " g AS (n + 1), s TEXT AS (t || '!') STORED)",
                "INSERT INTO kinds VALUES (1, 9e999, 9223372036854775807, 12.5, '', x''),"
                        + " (2, -9e999, -9223372036854775808, 'NaN', '99999999999.99999', NULL),"
                        + " (3, 0.30000000000000004, 0, 'Infinity', '007', x'00'), (4, 'NaN', NULL, NULL, NULL, NULL),"
                        + " (5, 1.7976931348623157e308, 5, 99999999.99, '1e5', x'ff'), (6, 5e-324, 6, 1, ' 1 ', x''),"
                        + " (7, 100000000000000000000.0, 7, 2, 'Infinity', x'')")) {
            perigee.query(sql);
        }
        for (String table : List.of("one", "odd", "bytes", "kinds")) {
            String columns = table.equals("kinds") ? "quote(r), n, quote(d), typeof(d), quote(t), quote(b), g, s" : "*";
            String all = "SELECT %s FROM %s ORDER BY rowid".formatted(columns, table);
            String before = rows(all);
            for (String format : List.of("csv", "json")) {
                byte[] exported = get("/export/" + format + "/" + table);
                perigee.query("DELETE FROM " + table);
                HttpResponse<String> answer = post(
                        "/import/%s/%s?blobs=base64".formatted(format, table),
                        format.equals("csv") ? "text/csv" : "application/json",
                        exported);
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                assertThat(rows(all))
                        .as(format + " " + new String(exported, StandardCharsets.UTF_8))
                        .isEqualTo(before);
            }
        }
    }

    private byte[] get(String path) {
        try {
            return http.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                                    .header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                                    .build(),
                            BodyHandlers.ofByteArray())
                    .body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest(name = "{0} into {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "99999999999.99999 | t | 99999999999.99999",
                "1E400 | t | 1E400",
                "18446744073709551615 | t | 18446744073709551615",
                "1.10 | t | 1.10",
                "9223372036854775807 | n | 9223372036854775807",
                "9223372036854775808 | n |",
                "12345678901234567890.123 | n |",
                "99999999999.99999 | n |",
                "9999999999.99999 | n | 9.99999999999999E9",
                "1e3 | n | 1000",
                "0.30000000000000004 | r | 0.30000000000000004",
                "0.10000000000000001 | r | 0.1",
                "0.1234567890123456789 | r |",
                "9007199254740993 | r |",
                "100000000000000000000 | r | 1.0E20",
                "1E400 | r |",
                "1e-400 | r |",
                "0e99999999999 | r | 0.0",
                "1e99999999999 | r |",
                "12345678901234567890.5 | d |",
                "12.50 | d | 12.5",
                "12345678901234567890.5 | u |",
            })
    void a_number_keeps_all_of_its_digits_or_is_refused(String number, String column, String stored) {
        perigee.query("CREATE TABLE num (id INTEGER PRIMARY KEY, t TEXT, n INTEGER, r REAL, d DECIMAL(20,3), u)");
        boolean isKept = stored != null;
        String cell = "SELECT %s AS v FROM num".formatted(column);
        List<HttpResponse<String>> answers = new ArrayList<>();
        byte[] json = "[{\"%s\":%s}]".formatted(column, number).getBytes(StandardCharsets.UTF_8);
        answers.add(post("/import/json/num", "application/json", json));
        answers.add(post("/rest/num", "application/json", Arrays.copyOfRange(json, 1, json.length - 1)));
        if (!column.equals("u")) {
            byte[] text = "[{\"%s\":\"%s\"}]".formatted(column, number).getBytes(StandardCharsets.UTF_8);
            answers.add(post("/import/json/num", "application/json", text));
            answers.add(post("/rest/num", "application/json", Arrays.copyOfRange(text, 1, text.length - 1)));
            answers.add(post("/import/csv/num", "text/csv", (column + "\n" + number).getBytes(StandardCharsets.UTF_8)));
        }
        for (HttpResponse<String> answer : answers) {
            assertThat(answer.statusCode()).as(answer.body()).isIn(isKept ? List.of(200, 201) : List.of(400));
            if (!isKept) assertThat(answer.body()).contains("out of range", column);
        }
        assertThat(perigee.query(cell).size()).isEqualTo(isKept ? answers.size() : 0);
        if (isKept)
            assertThat(perigee.value("SELECT DISTINCT %s FROM num".formatted(column)))
                    .isEqualTo(stored);
    }

    @Test
    void numbers_within_arrays_and_objects_stay_as_they_were_written() {
        String nested = "{\"a\":[1E400,99999999999.999990,1e99999999999,18446744073709551616],\"b\":{\"c\":-0.0}}";
        byte[] row = "{\"id\":1,\"name\":%s}".formatted(nested).getBytes(StandardCharsets.UTF_8);
        assertThat(post("/rest/people", "application/json", row).statusCode()).isEqualTo(201);
        assertThat(perigee.value("SELECT name FROM people")).isEqualTo(nested);
        perigee.query("DELETE FROM people");
        assertThat(json("", "[" + new String(row, StandardCharsets.UTF_8) + "]").statusCode())
                .isEqualTo(200);
        assertThat(perigee.value("SELECT name FROM people")).isEqualTo(nested);
    }

    @Test
    void one_row_that_fails_undoes_all_unless_failures_are_wanted_in_a_report() {
        String text = "id,name\n1,a\n2,\n3,c\n1,again\n4,d,too many\n5,e\n";
        HttpResponse<String> stopped = csv("", text);
        assertThat(stopped.statusCode()).isEqualTo(409);
        assertThat(stopped.body()).contains("Row 2 (line 3)", "people.name", "onError=report");
        assertThat(rows("SELECT * FROM people")).isEqualTo("[]");
        HttpResponse<String> reported = csv("?onError=report", text);
        assertThat(reported.statusCode()).isEqualTo(200);
        assertThat(reported.body())
                .contains("Imported 3 out of 6 records successfully. 3 records failed.")
                .contains("\"row\":2,\"line\":3", "\"row\":4,\"line\":5", "\"row\":5,\"line\":6")
                .contains("INSERT INTO \\\"people\\\" (\\\"id\\\", \\\"name\\\") VALUES (?, ?)");
        assertThat(rows("SELECT id FROM people")).isEqualTo("[{\"id\":1},{\"id\":3},{\"id\":5}]");
    }

    @Test
    void an_import_shows_how_far_it_is_from_its_first_byte_to_its_end() throws Exception {
        perigee.close();
        perigee = ServedPerigee.open(folder.resolve("data"));
        StringBuilder text = new StringBuilder("id,name\n");
        for (int i = 0; i < 400_000; i++)
            text.append(i).append(",name of ").append(i).append('\n');
        byte[] body = text.toString().getBytes(StandardCharsets.UTF_8);
        try (Socket socket = new Socket("127.0.0.1", perigee.port())) {
            OutputStream out = socket.getOutputStream();
            out.write(("POST /import/csv/people HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
                            + "Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n")
                    .formatted(ServedPerigee.TOKEN, body.length)
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(body, 0, 1000);
            JsonNode progress = awaitImport("uploading");
            assertThat(progress.get("format").asString()).isEqualTo("csv");
            assertThat(progress.get("table").asString()).isEqualTo("people");
            out.write(body, 1000, body.length - 1000);
            long seen = 0;
            while (!(progress = latestImport()).get("state").asString().equals("done")) {
                boolean isUnderWay = progress.get("rows").asLong() > 0
                        && progress.get("bytes").asLong()
                                < progress.get("totalBytes").asLong();
                if (isUnderWay) seen++;
                assertThat(progress.get("state").asString()).isIn("uploading", "importing");
            }
            assertThat(seen).as("times it was seen in the middle").isPositive();
            assertThat(progress.get("rows").asLong()).isEqualTo(400_000);
            assertThat(progress.get("bytes").asLong()).isEqualTo(body.length);
            assertThat(progress.get("totalBytes").asLong()).isEqualTo(body.length);
        }
        csv("", "id,nothere\n1,2\n");
        assertThat(awaitImport("failed").get("error").asString()).contains("no column");
        post(
                "/import/dump?onError=report",
                "application/sql",
                "SELEC; DELETE FROM people;".getBytes(StandardCharsets.UTF_8));
        JsonNode dump = awaitImport("done");
        assertThat(dump.get("statements").asInt()).isEqualTo(2);
        assertThat(dump.get("failed").asInt()).isEqualTo(1);
        assertThat(http.send(
                                HttpRequest.newBuilder(
                                                URI.create("http://127.0.0.1:" + perigee.port() + "/import/status"))
                                        .header("Authorization", "Bearer " + ServedPerigee.CLIENT_TOKEN)
                                        .build(),
                                BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(403);
    }

    private JsonNode latestImport() {
        return perigee.call("GET", "/import/status", "").result().get(0);
    }

    private JsonNode awaitImport(String state) throws InterruptedException {
        long end = System.nanoTime() + 60_000_000_000L;
        while (true) {
            JsonNode latest = latestImport();
            if (latest != null && latest.get("state").asString().equals(state)) return latest;
            assertThat(System.nanoTime()).isLessThan(end);
            Thread.sleep(10);
        }
    }

    @Test
    void mistakes_are_named_and_change_nothing() {
        perigee.close();
        perigee = ServedPerigee.open(folder.resolve("data"));
        assertThat(csv("", "").body()).contains("Invalid CSV format or empty data");
        assertThat(csv("", "id,name\n1,\"open").body()).contains("line 2", "does not end");
        assertThat(csv("", "id,name\n1,\"a\"b\n").body()).contains("line 2", "follows the end");
        assertThat(csv("", "id,nothere\n1,2\n").body()).contains("no column \\\"nothere\\\"");
        assertThat(csv("?onError=maybe", "id\n").statusCode()).isEqualTo(400);
        assertThat(post("/import/csv/people", "text/plain", new byte[0]).body()).contains("Unsupported Content-Type");
        assertThat(post("/import/csv/people", "text/csv", new byte[] {'i', 'd', '\n', (byte) 0xc3, 0x28})
                        .body())
                .contains("not UTF-8");
        assertThat(json("", "{").body()).contains("not valid JSON");
        assertThat(json("", "{\"rows\":[]}").body()).contains("Expected an object with");
        assertThat(json("", "[{\"id\":99999999999999999999,\"name\":\"x\"}]").body())
                .contains("out of range");
        assertThat(json("", "[5]").body()).contains("must be an object");
        assertThat(post("/import/json/nothere", "application/json", "[]".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(404);
        assertThat(post(
                                "/import/json/tmp_rls_policies",
                                "application/json",
                                "[{\"id\":1}]".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isIn(200, 400, 403, 409);
        assertThat(post(
                                "/import/json/tmp_alarms",
                                "application/json",
                                "[{\"owner\":\"x\",\"due_at_ms\":1}]".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(403);
        assertThat(form("/import/json/people", "wrong", "p.json", new byte[0]).body())
                .contains("no file in the field");
        assertThat(post(
                                "/import/json/people",
                                "multipart/form-data; boundary=xyz",
                                "junk".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(400);
        for (String path : List.of("/import/dump", "/import/csv/people", "/import/json/people")) {
            assertThat(post(path, "text/csv", new byte[0], ServedPerigee.CLIENT_TOKEN)
                            .statusCode())
                    .isEqualTo(403);
        }
        assertThat(rows("SELECT * FROM people")).isEqualTo("[]");
    }

    @Test
    @Contract("Kept: POST /import/dump takes a multipart sqlFile")
    void a_dump_comes_back_as_it_was() throws Exception {
        for (String sql : List.of(
                "CREATE TABLE \"odd \"\"name; --\" (id INTEGER PRIMARY KEY AUTOINCREMENT, v, g AS (id * 2) STORED, h TEXT DEFAULT 'x;y')",
                "INSERT INTO \"odd \"\"name; --\" (v) VALUES (NULL), (-9223372036854775808), (9223372036854775807), (0.1), (1e-300),"
                        + " (1.7976931348623157e308), (9e999), (-9e999), (x'00ff'), (x''), (''), ('it''s; --'), ('a' || char(10) || 'b;'),"
                        + " ('a' || char(13) || char(10) || 'b'), ('a' || char(0) || 'b'), ('Ünï /* */'), (CAST(x'c328' AS TEXT)), (3.0)",
                "DELETE FROM \"odd \"\"name; --\" WHERE id = 18",
                "CREATE TABLE wr (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
                "INSERT INTO wr VALUES ('k', 1), ('k', 2)",
                "CREATE TABLE st (n INT, t TEXT) STRICT",
                "INSERT INTO st VALUES (1, 'x')",
                "CREATE INDEX part ON st (lower(t)) WHERE n > 0",
                "CREATE VIEW seen AS SELECT n FROM st",
                "CREATE TRIGGER trg AFTER INSERT ON st BEGIN UPDATE st SET t = CASE WHEN n THEN 'a;b' END WHERE n = NEW.n; DELETE FROM wr; END",
                "CREATE VIRTUAL TABLE ft USING fts5(body)",
                "INSERT INTO ft VALUES ('the quick fox'), ('lazy dog')")) {
            perigee.query(sql);
        }
        byte[] dump = http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + "/export/dump"))
                                .header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                                .build(),
                        BodyHandlers.ofByteArray())
                .body();
        String before = content();
        HttpResponse<String> again = form("/import/dump", "sqlFile", "d.sql", dump);
        assertThat(again.statusCode()).isEqualTo(400);
        assertThat(again.body()).contains("Statement 1 (line 3)", "already exists", "Nothing was imported");
        for (String name : List.of("\"odd \"\"name; --\"", "wr", "st", "ft", "people")) {
            perigee.query("DROP " + (name.equals("seen") ? "VIEW " : "TABLE ") + name);
        }
        perigee.query("DROP VIEW seen");
        HttpResponse<String> answer = form("/import/dump", "sqlFile", "d.sql", dump);
        assertThat(answer.body()).contains("SQL dump import completed.", " 0 failed.", "\"details\":[]");
        assertThat(content()).isEqualTo(before);
        assertThat(rows("SELECT rowid FROM ft WHERE ft MATCH 'fox'")).isEqualTo("[{\"rowid\":1}]");
        perigee.query("INSERT INTO \"odd \"\"name; --\" (v) VALUES ('next')");
        assertThat(rows("SELECT max(id) AS id FROM \"odd \"\"name; --\"")).isEqualTo("[{\"id\":19}]");
    }

    private String content() {
        StringBuilder all = new StringBuilder();
        try (SqliteConnection file =
                SqliteConnection.open(folder.resolve("data/perigee.db"), EnumSet.of(OpenFlag.READONLY))) {
            List<String> names = new ArrayList<>();
            try (SqliteStatement select = file.prepare(
                    "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'tmp\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'tmp\\_%' ESCAPE '\\' AND name NOT LIKE 'ft\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name")) {
                while (select.step()) {
                    all.append(select.textAt(0))
                            .append(' ')
                            .append(select.textAt(1))
                            .append('\n');
                    if (String.valueOf(select.textAt(1)).contains("TABLE")) names.add(select.textAt(0));
                }
            }
            for (String name : names) {
                try (SqliteStatement select = file.prepare("SELECT * FROM " + SqlNames.quoted(name))) {
                    while (select.step()) {
                        for (int i = 0; i < select.columnCount(); i++)
                            all.append(select.valueAt(i)).append('|');
                        all.append('\n');
                    }
                }
            }
        }
        return all.toString();
    }

    @Test
    void what_a_dump_may_not_do_undoes_all_of_it() {
        for (String sql : List.of(
                "ATTACH '/tmp/x.db' AS x;",
                "PRAGMA writable_schema = ON;",
                "SELECT load_extension('x');",
                "CREATE TABLE tmp_mine (a);",
                "DELETE FROM tmp_schema_versions;",
                "ROLLBACK;",
                "CREATE TEMP TABLE x (a);",
                "VACUUM INTO '/tmp/y.db';",
                "CREATE TABLE x (a); ALTER TABLE x RENAME TO tmp_x;")) {
            HttpResponse<String> answer = post(
                    "/import/dump",
                    "application/sql",
                    ("CREATE TABLE first (a);\n" + sql).getBytes(StandardCharsets.UTF_8));
            assertThat(answer.statusCode()).as(sql + answer.body()).isIn(400, 403);
            assertThat(rows("SELECT name FROM sqlite_schema WHERE name IN ('first', 'x')"))
                    .as(sql)
                    .isEqualTo("[]");
        }
        HttpResponse<String> reported = post(
                "/import/dump?onError=report",
                "application/sql",
                "CREATE TABLE first (a);\nnonsense;\nINSERT INTO first VALUES (1);".getBytes(StandardCharsets.UTF_8));
        assertThat(reported.statusCode()).isEqualTo(207);
        assertThat(reported.body()).contains("2 statements succeeded, 1 failed", "\"line\":2", "nonsense");
        assertThat(form("/import/dump", "sqlFile", "d.txt", new byte[0]).body()).contains("must be a .sql file");
    }

    /// Any cells, written by a plain rule and read back.
    @Test
    void random_csv_is_read_back() throws Exception {
        Random random = new Random(7);
        String alphabet = "ab,\"\n\r ;ü";
        for (int round = 0; round < 500; round++) {
            List<List<String>> records = new ArrayList<>();
            StringBuilder text = new StringBuilder();
            int columns = 1 + random.nextInt(4);
            for (int i = 0; i < 1 + random.nextInt(5); i++) {
                List<String> record = new ArrayList<>();
                for (int c = 0; c < columns; c++) {
                    StringBuilder cell = new StringBuilder();
                    for (int k = random.nextInt(6); k > 0; k--)
                        cell.append(alphabet.charAt(random.nextInt(alphabet.length())));
                    record.add(cell.toString());
                    text.append(c == 0 ? "" : ",")
                            .append('"')
                            .append(cell.toString().replace("\"", "\"\""))
                            .append('"');
                }
                records.add(record);
                text.append(random.nextBoolean() ? "\r\n" : "\n");
            }
            CsvRecords read = new CsvRecords(new StringReader(text.toString()));
            for (List<String> record : records) assertThat(read.next()).isEqualTo(record);
            assertThat(read.next()).isNull();
        }
    }

    @Test
    void dumps_of_other_products_are_read_and_their_comments_kept() {
        String table = "CREATE TABLE d1 (\n  id INTEGER PRIMARY KEY, -- the number; of a row\n  /* ' */ name TEXT\n)";
        String dump = "\ufeffPRAGMA defer_foreign_keys=TRUE;\nPRAGMA encoding = \"UTF-8\";PRAGMA journal_mode=WAL;\n"
                + "PRAGMA foreign_keys(0); -- off\nBEGIN /* all */ TRANSACTION;\n-- first\n" + table + ";\n"
                + "CREATE /* ; */ TABLE IF NOT EXISTS -- yes\n seq (id INTEGER PRIMARY KEY AUTOINCREMENT);\n"
                + "INSERT INTO d1 VALUES (1, '-- no comment'), (2, '/* nor this');\n"
                + "DELETE FROM sqlite_sequence /* of ours */;\nINSERT INTO sqlite_sequence VALUES('seq',7);\nCOMMIT;;\n";
        HttpResponse<String> answer = form("/import/dump", "sqlFile", "d.sql", dump.getBytes(StandardCharsets.UTF_8));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(perigee.value("SELECT sql FROM sqlite_schema WHERE name = 'd1'"))
                .isEqualTo(table);
        assertThat(perigee.value("SELECT group_concat(name, '|') FROM d1")).isEqualTo("-- no comment|/* nor this");
        perigee.query("INSERT INTO seq DEFAULT VALUES");
        assertThat(perigee.value("SELECT id FROM seq")).isEqualTo("8");
        HttpResponse<String> refused =
                post("/import/dump", "application/sql", "PRAGMA writable_schema=ON;".getBytes(StandardCharsets.UTF_8));
        assertThat(refused.statusCode()).isEqualTo(403);
    }

    @Test
    void statements_are_cut_where_they_end() throws Exception {
        SqlStatements statements = new SqlStatements(new StringReader("""
                -- a comment; with one
                SELECT ';' /* ; */ , "a;b", [c;d], `e;f` -- g;
                ;;
                create /* x */ temp trigger t after insert on a begin select case 1 when 1 then 2 end; select 'END;'; end;
                CREATE TABLE trigger_log (begin_at, end_at);
                INSERT INTO x VALUES ('it''s; fine')"""));
        assertThat(statements.next()).startsWith("SELECT ';'");
        assertThat(statements.line()).isEqualTo(2);
        assertThat(statements.next()).endsWith("select 'END;'; end");
        assertThat(statements.line()).isEqualTo(4);
        assertThat(statements.next()).isEqualTo("CREATE TABLE trigger_log (begin_at, end_at)");
        assertThat(statements.next()).isEqualTo("INSERT INTO x VALUES ('it''s; fine')");
        assertThat(statements.next()).isNull();
    }

    /// Whatever SQLite's reader of digits makes of them. Would run for hours if SQLite were given, at each semicolon,
    /// all of the text before it.
    @Test
    void a_text_of_many_semicolons_is_cut_in_linear_time() throws Exception {
        String body = "CREATE TRIGGER t AFTER INSERT ON a BEGIN " + "SELECT 1, 'a;b' /* ; */;".repeat(200_000) + " END";
        String insert = "INSERT INTO x VALUES ('" + ";".repeat(4_000_000) + "', '\0')";
        SqlStatements statements = new SqlStatements(new StringReader(body + ";" + insert + ";\nSELECT\0;SELECT 2"));
        assertThat(statements.next()).isEqualTo(body);
        assertThat(statements.next()).isEqualTo(insert);
        assertThat(statements.next()).isEqualTo("SELECT\0");
        assertThat(statements.line()).isEqualTo(2);
        assertThat(statements.next()).isEqualTo("SELECT 2");
    }

    @Test
    void every_real_comes_back_to_the_bit() throws Exception {
        perigee.query("CREATE TABLE r (id INTEGER PRIMARY KEY, v REAL)");
        Random random = new Random(11);
        List<Double> numbers = new ArrayList<>(
                List.of(1e-300, Double.MIN_VALUE, Double.MAX_VALUE, Double.MIN_NORMAL, -0.1, 1e23, 5e-324 * 3));
        while (numbers.size() < 3000) {
            double number = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(number)) numbers.add(number);
        }
        perigee.perigee().store().write(tx -> {
            SqliteStatement insert = tx.connection().prepare("INSERT INTO r (v) VALUES (?1)");
            for (double number : numbers) {
                insert.bindReal(1, number).step();
                insert.reset();
            }
            insert.close();
            return true;
        });
        byte[] dump = http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + "/export/dump"))
                                .header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                                .build(),
                        BodyHandlers.ofByteArray())
                .body();
        perigee.query("DROP TABLE r");
        perigee.query("DROP TABLE people");
        assertThat(post("/import/dump", "application/sql", dump).statusCode()).isEqualTo(200);
        List<Long> bits = perigee.perigee().store().read(java.time.Duration.ofSeconds(10), tx -> {
            List<Long> found = new ArrayList<>();
            SqliteStatement select = tx.statement("SELECT v FROM r ORDER BY id");
            while (select.step()) found.add(Double.doubleToRawLongBits(select.realAt(0)));
            return found;
        });
        assertThat(bits)
                .isEqualTo(numbers.stream().map(Double::doubleToRawLongBits).toList());
    }
}
