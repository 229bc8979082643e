package dev.perigee.bundled.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.perigee.ServedPerigee;
import dev.perigee.testing.Contract;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `/export` over HTTP, read back by stock `sqlite3` where the machine has it.
class ExportTest {
    @TempDir
    Path folder;

    private ServedPerigee perigee;
    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeEach
    void start() {
        perigee = ServedPerigee.open(folder.resolve("data"));
        for (String sql : List.of(
                "CREATE TABLE \"odd \"\"name\" (id INTEGER PRIMARY KEY AUTOINCREMENT, v, g AS (id * 2) STORED, h TEXT DEFAULT 'x;y')",
                "INSERT INTO \"odd \"\"name\" (v) VALUES (NULL), (-9223372036854775808), (9223372036854775807), (0.1), (1e-300),"
                        + " (1.7976931348623157e308), (9e999), (-9e999), (x'00ff'), (x''), (''), ('it''s'), ('a' || char(10) || 'b'),"
                        + " ('a' || char(13) || char(10) || 'b'), ('a' || char(0) || 'b'), ('Ünï'), (CAST(x'c328' AS TEXT)), (3.0)",
                "DELETE FROM \"odd \"\"name\" WHERE id = 18",
                "CREATE TABLE wr (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
                "INSERT INTO wr VALUES ('k', 1), ('k', 2)",
                "CREATE TABLE st (n INT, t TEXT) STRICT",
                "INSERT INTO st VALUES (1, 'x')",
                "CREATE INDEX part ON st (lower(t)) WHERE n > 0",
                "CREATE UNIQUE INDEX uni ON st (n)",
                "CREATE VIEW seen AS SELECT n FROM st",
                "CREATE TRIGGER trg AFTER INSERT ON st BEGIN UPDATE st SET t = 'a;b' WHERE n = NEW.n; END",
                "CREATE VIRTUAL TABLE ft USING fts5(body)",
                "INSERT INTO ft VALUES ('the quick fox'), ('lazy dog')")) {
            perigee.query(sql);
        }
    }

    @AfterEach
    void stop() {
        http.close();
        perigee.close();
    }

    @Test
    @Contract({
        "Kept: GET /export/dump is database_dump.sql",
        "Different: the dump is streamed and round-trips NULLs, blobs, indexes and triggers"
    })
    void stock_sqlite_reads_the_dump_back_to_an_equal_database() throws Exception {
        HttpResponse<byte[]> dump = get("/export/dump", ServedPerigee.TOKEN);
        assertThat(dump.statusCode()).isEqualTo(200);
        assertThat(dump.headers().firstValue("Content-Disposition"))
                .hasValue("attachment; filename=\"database_dump.sql\"");
        assertThat(new String(dump.body(), StandardCharsets.UTF_8)).doesNotContain("tmp_");
        assumeTrue(hasSqlite(), "there is no sqlite3 on this machine to read the dump back");
        Path copy = folder.resolve("copy.db");
        Path script = Files.write(folder.resolve("dump.sql"), dump.body());
        sqlite(List.of(copy.toString(), ".read " + script));
        assertThat(content(copy)).isEqualTo(content(folder.resolve("data/perigee.db")));
        assertThat(sqlite(List.of(copy.toString(), "PRAGMA integrity_check"))).isEqualTo("ok\n");
        assertThat(sqlite(List.of(copy.toString(), "SELECT rowid FROM ft WHERE ft MATCH 'fox'")))
                .isEqualTo("1\n");
        assertThat(folder.resolve("data/exports")).isEmptyDirectory();
    }

    @Test
    void the_file_itself_is_a_database_that_opens() throws Exception {
        Path copy = Files.write(
                folder.resolve("file.db"),
                get("/export/sqlite", ServedPerigee.TOKEN).body());
        assumeTrue(hasSqlite(), "there is no sqlite3 on this machine to open the file");
        assertThat(content(copy)).isEqualTo(content(folder.resolve("data/perigee.db")));
    }

    @Test
    @Contract({
        "Kept: GET /export/json/:table has the original's file name",
        "Kept: GET /export/csv/:table has the original's file name",
        "Different: CSV is RFC 4180"
    })
    void a_table_is_exported_as_json_and_csv() {
        perigee.query("CREATE TABLE people (id INTEGER, name TEXT, b BLOB)");
        perigee.query("INSERT INTO people VALUES (9007199254740993, 'Ann, \"A\"', x'00'), (NULL, '', NULL)");
        HttpResponse<byte[]> json = get("/export/json/people", ServedPerigee.TOKEN);
        assertThat(json.headers().firstValue("Content-Disposition"))
                .hasValue("attachment; filename=\"people_export.json\"");
        assertThat(new String(json.body(), StandardCharsets.UTF_8))
                .isEqualTo("[{\"id\":9007199254740993,\"name\":\"Ann, \\\"A\\\"\",\"b\":\"AA==\"},"
                        + "{\"id\":null,\"name\":\"\",\"b\":null}]");
        HttpResponse<byte[]> csv = get("/export/csv/PEOPLE", ServedPerigee.TOKEN);
        assertThat(csv.headers().firstValue("Content-Disposition"))
                .hasValue("attachment; filename=\"people_export.csv\"");
        assertThat(new String(csv.body(), StandardCharsets.UTF_8))
                .isEqualTo("id,name,b\r\n9007199254740993,\"Ann, \"\"A\"\"\",AA==\r\n,\"\",\r\n");
    }

    @Test
    void exports_are_for_admins_and_of_tables_that_are_there() {
        assertThat(get("/export/dump", ServedPerigee.CLIENT_TOKEN).statusCode()).isEqualTo(403);
        assertThat(get("/export/csv/nope", ServedPerigee.TOKEN).statusCode()).isEqualTo(404);
        assertThat(get("/export/json/tmp_alarms", ServedPerigee.TOKEN).statusCode())
                .isEqualTo(404);
    }

    /// Schema and every value with its type, of all that is the user's.
    private String content(Path file) throws Exception {
        StringBuilder content = new StringBuilder(
                sqlite(
                        List.of(
                                "-readonly",
                                file.toString(),
                                "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'tmp!_%' ESCAPE '!'"
                                        + " AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'ft!_%' ESCAPE '!' ORDER BY type, name")));
        for (String table : List.of("\"odd \"\"name\"", "wr", "st", "ft")) {
            List<String> columns = new ArrayList<>();
            for (String column : columns(table))
                columns.add("typeof(%s), hex(%s), quote(%s)".formatted(column, column, column));
            content.append(sqlite(List.of(
                    "-readonly",
                    file.toString(),
                    "SELECT %s FROM %s ORDER BY 1, 2, 3, 4, 5".formatted(String.join(", ", columns), table))));
        }
        return content.append(sqlite(List.of(
                        "-readonly",
                        file.toString(),
                        "SELECT * FROM sqlite_sequence WHERE name NOT LIKE 'tmp!_%' ESCAPE '!'")))
                .toString();
    }

    private static List<String> columns(String table) {
        return switch (table) {
            case "wr" -> List.of("a", "b");
            case "st" -> List.of("n", "t");
            case "ft" -> List.of("rowid", "body");
            default -> List.of("id", "v", "g", "h");
        };
    }

    private static boolean hasSqlite() {
        return Path.of("/usr/bin/sqlite3").toFile().canExecute();
    }

    private String sqlite(List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/usr/bin/sqlite3"));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private HttpResponse<byte[]> get(String path, String token) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                .header("Authorization", "Bearer " + token)
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
