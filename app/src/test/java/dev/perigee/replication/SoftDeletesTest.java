package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Rows that a real PostgreSQL keeps and marks as deleted are not in the copy.
class SoftDeletesTest {
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
                CREATE TABLE t (k int PRIMARY KEY, gone timestamptz, n bigint NOT NULL DEFAULT nextval('s'));
                CREATE TABLE other (k int PRIMARY KEY)""");
        postgres.execute("INSERT INTO t SELECT i, CASE WHEN i % 10 = 0 THEN now() END FROM generate_series(1, 50) i");
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
                "'cursorColumn':'n','group':'g'",
                "'mode':'xmin','group':'g'"
            })
    void marked_rows_are_removed_and_come_back_when_they_are_unmarked(String fields) {
        host.post("/tables", "{'name':'other','mode':'xmin','group':'g'}").result();
        follow(fields + ",'deletes':'soft(gone)'");
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("45");
        mark("k IN (1, 2, 3)", "now()");
        mark("k IN (10, 20)", "NULL");
        postgres.execute("INSERT INTO t VALUES (51, now()), (52, NULL)");
        SyncResult result = sync();
        assertThat(result.deleted()).isEqualTo(3);
        assertThat(result.inserted()).isEqualTo(3);
        assertThat(host.query("SELECT k FROM t WHERE k IN (1, 2, 3, 10, 20, 30, 51, 52) ORDER BY k"))
                .containsExactly(List.of("10"), List.of("20"), List.of("52"));
        assertThat(host.value("SELECT row_count FROM tmp_replication_state WHERE name = 't'"))
                .isEqualTo(host.value("SELECT count(*) FROM t"));
        host.post("/tables/t/resync", "").result();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("45");
        assertThat(host.value(
                        "SELECT row_count = (SELECT count(*) FROM t) FROM tmp_replication_state WHERE name = 't'"))
                .isEqualTo("1");
    }

    /// The mark arrives behind the greatest cursor value pulled, from a transaction that was open meanwhile.
    @Test
    void a_mark_that_comes_late_counts() throws Exception {
        follow("'cursorColumn':'n','deletes':'soft(gone)'");
        try (var connection = postgres.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("UPDATE t SET gone = now(), n = nextval('s') WHERE k = 1");
            mark("k = 2", "NULL");
            sync();
            connection.commit();
        }
        sync();
        assertThat(host.query("SELECT k FROM t WHERE k < 3")).containsExactly(List.of("2"));
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(delimiter = '|', textBlock = """
            boolean NOT NULL | false | true
            int              | 0     | 2
            numeric          | 0.00  | 0.5
            numeric(40,2)    | 0     | 12345678901234567890
            text             | ''    | yes
            text             | False | 2024-01-01
            date             |       | 1970-01-01
            timestamp        |       | 1970-01-01 00:00
            bytea            |       | \\x00""")
    void a_value_that_is_neither_false_nor_zero_nor_empty_marks(String type, String unmarked, String marked) {
        for (String group : List.of("", ",'group':'g'")) {
            postgres.execute(
                    "DROP TABLE IF EXISTS v; CREATE TABLE v (k int PRIMARY KEY, m %s, n int NOT NULL)".formatted(type));
            postgres.execute("INSERT INTO v VALUES (1, %s, 1), (2, '%s', 2)"
                    .formatted(unmarked == null ? "NULL" : "'" + unmarked + "'", marked));
            String target = group.isEmpty() ? "plain" : "grouped";
            host.post(
                            "/tables",
                            "{'name':'v','mode':'xmin','timestamps':'epoch_micros','deletes':'soft(m)','target':'%s'%s}"
                                    .formatted(target, group))
                    .result();
            SyncResult first = host.plugin.syncTable("v").join();
            first.error().ifPresent(error -> fail(error.message()));
            assertThat(host.query("SELECT k FROM " + target)).as(target).containsExactly(List.of("1"));
            postgres.execute("UPDATE v SET m = '%s'".formatted(marked));
            assertThat(host.plugin.syncTable("v").join().deleted()).isEqualTo(1);
            assertThat(host.query("SELECT k FROM " + target)).isEmpty();
            host.call("DELETE", "/tables/v?drop=true", "");
        }
    }

    @Test
    void a_column_that_is_missing_or_left_out_or_always_set_is_refused_by_name() {
        postgres.execute("CREATE TABLE u (k int PRIMARY KEY, at date NOT NULL, gone date)");
        String table = "{'name':'u','mode':'xmin','deletes':'soft(%s)'%s}";
        assertThat(host.post("/tables", table.formatted("nope", "")).error()).contains("SOURCE_COLUMN_MISSING", "nope");
        assertThat(host.post("/tables", table.formatted("gone", ",'exclude':['gone']"))
                        .error())
                .contains("INVALID_REQUEST", "not among the columns copied");
        assertThat(host.post("/tables", table.formatted("k", "")).error()).contains("every row would count");
        assertThat(host.post("/tables", table.formatted("at", "")).error()).contains("every row would count");
        assertThat(host.post("/tables", table.formatted("gone", "")).status()).isEqualTo(200);
    }

    @Test
    void another_choice_of_the_mark_fetches_the_rows_again() {
        follow("'cursorColumn':'n','deletes':'soft(gone)'");
        host.call("PATCH", "/tables/t", "{'deletes':'ignore'}").result();
        sync();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("50");
        host.call("PATCH", "/tables/t", "{'deletes':'soft(gone)'}").result();
        sync();
        assertThat(host.value("SELECT count(*) FROM t")).isEqualTo("45");
    }

    private void follow(String fields) {
        host.post("/tables", "{'name':'t',%s}".formatted(fields)).result();
        sync();
    }

    private SyncResult sync() {
        SyncResult result = host.plugin.syncTable("t").join();
        result.error().ifPresent(error -> fail(error.message()));
        return result;
    }

    private void mark(String which, String value) {
        postgres.execute("UPDATE t SET gone = %s, n = nextval('s') WHERE %s".formatted(value, which));
    }
}
