package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// A masked column of a copy has what a real PostgreSQL computes, and its own values never leave the source.
class MaskTest {
    private static final String SECRET = "secret.person";

    @TempDir
    Path folder;

    private TestPostgres postgres;
    private PostgresSource source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        host = TestHost.idle(folder, source);
        postgres.execute("""
                CREATE SEQUENCE s;
                CREATE TABLE t (k int PRIMARY KEY, email text NOT NULL, born date, n bigint NOT NULL DEFAULT nextval('s'));
                CREATE TABLE other (k int PRIMARY KEY)""");
        postgres.execute(
                "INSERT INTO t SELECT i, '%s' || i, date '1990-05-05' FROM generate_series(1, 30) i".formatted(SECRET));
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'cursorColumn':'n'",
                "'mode':'xmin'",
                "'mode':'full'",
                "'cursorColumn':'n','group':'g'",
                "'cursorColumn':'n','where':'k > 5'"
            })
    void the_masked_value_is_copied_compared_and_repaired(String mode) throws IOException {
        host.post("/tables", "{'name':'other','mode':'xmin','group':'g'}").result();
        follow(mode, "'email':'md5(email)','born':'extract(year FROM born)::int'");
        assertThat(host.value("SELECT born FROM t WHERE k = 7")).isEqualTo("1990");
        assertThat(host.value("SELECT type FROM pragma_table_info('t') WHERE name = 'born'"))
                .isIn("INTEGER", "INT");
        postgres.execute("UPDATE t SET email = '%s.again', n = nextval('s') WHERE k IN (7, 8)".formatted(SECRET));
        sync();
        assertThat(host.value("SELECT email FROM t WHERE k = 7")).isEqualTo(md5("'%s.again'".formatted(SECRET)));
        if (!mode.contains("full")) {
            JsonNode proof = host.post("/tables/t/verify", "{}").result().get("proof");
            assertThat(proof.get("verdict").asString()).isEqualTo("equal");
            host.execute("UPDATE t SET email = 'x' WHERE k = 9");
            host.post("/tables/t/verify", "{'repair':true}").result();
        }
        assertThat(host.value("SELECT email FROM t WHERE k = 9")).isEqualTo(md5("'%s9'".formatted(SECRET)));
        requireUnseen();
    }

    /// Otherwise its values would be copied under the new name.
    @Test
    void a_masked_column_that_is_renamed_stops_the_copy() throws IOException {
        follow("'cursorColumn':'n'", "'email':'md5(email)'");
        postgres.execute("ALTER TABLE t RENAME email TO mail");
        assertThat(failure()).contains("SOURCE_COLUMN_MISSING", "columns.email", "is called \"mail\" now");
        postgres.execute("ALTER TABLE t ADD COLUMN email text");
        assertThat(failure()).contains("SOURCE_COLUMN_MISSING", "columns.email", "is called \"mail\" now");
        assertThat(host.post("/tables/t/resync", "{}").body().toString()).contains("is called");
        host.call("PATCH", "/tables/t", "{'columns':{'mail':'left(md5(mail), 8)','email':'NULL::text'}}")
                .result();
        sync();
        assertThat(host.value("SELECT length(mail) FROM t WHERE k = 1")).isEqualTo("8");
        requireUnseen();
    }

    @Test
    void another_mask_fetches_all_rows_again() {
        follow("'cursorColumn':'n'", "'email':'md5(email)'");
        host.call("PATCH", "/tables/t", "{'columns':{'email':'length(email)'}}").result();
        sync();
        assertThat(host.value("SELECT email FROM t WHERE k = 1")).isEqualTo("14");
        assertThat(host.get("/tables/t").result().get("columns").toString()).isEqualTo("{\"email\":\"length(email)\"}");
        assertThat(host.get("/status/t").result().get("notes").toString()).contains("masked", "length(email)");
    }

    /// The server's message would have the value.
    @Test
    void a_mask_that_fails_does_not_tell_the_value() {
        follow("'cursorColumn':'n'", "'email':'substr(email, 14)::int'");
        postgres.execute("UPDATE t SET email = '%sx', n = nextval('s') WHERE k = 1".formatted(SECRET));
        assertThat(failure()).contains("SOURCE_FAILED", "columns", "22P02").doesNotContain(SECRET, "\"x\"");
        assertThat(host.query("SELECT error_message FROM tmp_replication_runs WHERE name = 't'")
                        .toString())
                .doesNotContain("\"x\"");
    }

    /// A row that is set aside is shown as the copy would have it.
    @Test
    void a_row_set_aside_has_the_masked_value() throws IOException {
        follow("'mode':'xmin'", "'email':'left(md5(email), 4)'");
        host.execute("CREATE TRIGGER bad BEFORE INSERT ON t WHEN new.k = 99 BEGIN SELECT raise(ABORT, 'bad'); END");
        postgres.execute("INSERT INTO t VALUES (99, '%s', NULL)".formatted(SECRET));
        sync();
        assertThat(host.value("SELECT source_text FROM tmp_replication_set_aside"))
                .contains("99")
                .doesNotContain(SECRET);
        requireUnseen();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            'k':'k + 1'                      | part of its `key`
            'n':'n + 1'                      | part of its `cursorColumn`
            'nope':'md5(email)'              | SOURCE_COLUMN_MISSING
            'email':'md5(nope)'              | SOURCE_COLUMN_MISSING
            'email':'random()'               | not immutable
            'email':'gen_random_uuid()'      | not immutable
            'email':'(SELECT 1)'             | sub-select
            'email':'email) FROM t, (SELECT' | not open
            'email':'ARRAY[email]'           | not of a plain type
            'email':''                       | `columns`: expected
            'email':1                        | `columns`: expected
            ~~                               | `columns`: expected""")
    void what_cannot_mask_is_refused(String masks, String why) {
        assertThat(host.post("/tables", "{'name':'t','cursorColumn':'n','columns':{%s}}".formatted(masks))
                        .error())
                .contains(why);
    }

    private void follow(String fields, String masks) {
        host.post("/tables", "{'name':'t',%s,'columns':{%s}}".formatted(fields, masks))
                .result();
        sync();
    }

    private SyncResult sync() {
        SyncResult result = host.plugin.syncTable("t").join();
        result.error().ifPresent(error -> fail(error.message()));
        return result;
    }

    private String failure() {
        return host.plugin.syncTable("t").join().error().orElseThrow().message();
    }

    private static String md5(String literal) {
        try {
            byte[] digest = java.security.MessageDigest.getInstance("MD5")
                    .digest(literal.substring(1, literal.length() - 1).getBytes(StandardCharsets.UTF_8));
            return java.util.HexFormat.of().formatHex(digest);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// No file of the replica has a value of the column.
    private void requireUnseen() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> all = files.filter(Files::isRegularFile).toList();
            for (Path file : all) {
                assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                        .as(file.toString())
                        .doesNotContain(SECRET);
            }
        }
    }
}
