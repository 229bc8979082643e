package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A connection to a real file: opening, running, counting, and what it says when it cannot.
class SqliteConnectionTest {
    @TempDir
    private Path dir;

    @Test
    void rows_written_are_there_when_the_file_is_opened_again() {
        try (SqliteConnection connection = open()) {
            connection.exec("CREATE TABLE t(a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'one'), (2, 'two')");
            assertThat(connection.changes()).isEqualTo(2);
        }
        try (SqliteConnection connection = openReadonly();
                SqliteStatement statement = connection.prepare("SELECT a, b FROM t ORDER BY a")) {
            assertThat(statement.step()).isTrue();
            assertThat(statement.intAt(0)).isEqualTo(1);
            assertThat(statement.textAt(1)).isEqualTo("one");
            assertThat(statement.step()).isTrue();
            assertThat(statement.textAt(1)).isEqualTo("two");
            assertThat(statement.step()).isFalse();
        }
    }

    @Test
    void a_syntax_error_says_what_sqlite_said_and_where() {
        try (SqliteConnection connection = open()) {
            assertThatThrownBy(() -> connection.prepare("SELECT 'é',\n  a FORM t"))
                    .isInstanceOfSatisfying(SqliteException.class, e -> {
                        assertThat(e.fault()).isEqualTo(Fault.STATEMENT_INVALID);
                        assertThat(e.offset()).isEqualTo(21);
                    })
                    .hasMessageContaining("near \"t\": syntax error")
                    .hasMessageContaining("line 2, column 10");
        }
    }

    @Test
    void in_a_script_the_place_of_an_error_counts_from_its_beginning_and_what_was_before_has_run() {
        try (SqliteConnection connection = open()) {
            assertThatThrownBy(
                            () -> connection.exec("CREATE TABLE t(a);\nINSERT INTO t VALUES (1);\nSELECT nope FROM t"))
                    .hasMessageContaining("no such column: nope")
                    .hasMessageContaining("line 3, column 8");
            assertThat(count(connection, "SELECT count(*) FROM t")).isEqualTo(1);
        }
    }

    @Test
    void a_column_counts_characters_and_an_offset_counts_utf_16_units() {
        try (SqliteConnection connection = open()) {
            assertThatThrownBy(() -> connection.prepare("SELECT '😀😀', nope"))
                    .hasMessageContaining("line 1, column 14")
                    .isInstanceOfSatisfying(
                            SqliteException.class, e -> assertThat(e.offset()).isEqualTo(15));
        }
    }

    @Test
    void blanks_comments_and_semicolons_are_no_statement() {
        try (SqliteConnection connection = open()) {
            connection.exec("");
            connection.exec(" ; -- nothing\n /* at all */ ;");
            assertFault(() -> connection.prepare(" -- nothing"), Fault.STATEMENT_INVALID);
        }
    }

    @Test
    void sql_with_a_zero_character_is_refused_rather_than_cut_off_there() {
        try (SqliteConnection connection = open()) {
            assertFault(() -> connection.exec("SELECT 1;\n\0DROP TABLE t"), Fault.STATEMENT_INVALID)
                    .hasMessageContaining("line 2, column 1");
        }
    }

    @Test
    void each_constraint_is_a_constraint_fault_with_its_own_extended_code() {
        try (SqliteConnection connection = open()) {
            connection.exec("PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);"
                    + "CREATE TABLE t(u UNIQUE, n NOT NULL DEFAULT 1, c CHECK (c > 0), f REFERENCES p);"
                    + "INSERT INTO t(u) VALUES (1)");
            assertCode(connection, "INSERT INTO t(u) VALUES (1)", 2067, "UNIQUE constraint failed: t.u");
            assertCode(connection, "INSERT INTO t(n) VALUES (NULL)", 1299, "NOT NULL constraint failed: t.n");
            assertCode(connection, "INSERT INTO t(c) VALUES (-1)", 275, "CHECK constraint failed");
            assertCode(connection, "INSERT INTO t(f) VALUES (7)", 787, "FOREIGN KEY constraint failed");
        }
    }

    private static void assertCode(SqliteConnection connection, String sql, int extendedCode, String said) {
        assertFault(() -> connection.exec(sql), Fault.CONSTRAINT)
                .hasMessageContaining(said)
                .isInstanceOfSatisfying(
                        SqliteException.class, e -> assertThat(e.extendedCode()).isEqualTo(extendedCode));
    }

    @Test
    void a_full_disk_is_named_so() {
        try (SqliteConnection connection = open()) {
            connection.exec("PRAGMA max_page_count = 4; CREATE TABLE t(a)");
            assertFault(() -> connection.exec("INSERT INTO t VALUES (zeroblob(100000))"), Fault.DISK_FULL);
        }
    }

    @Test
    void a_file_that_is_no_database_is_corrupt_and_a_folder_that_is_missing_is_the_disk() throws IOException {
        Files.writeString(dir.resolve("t.db"), "this is not a database, whatever its name says".repeat(20));
        try (SqliteConnection connection = open()) {
            assertFault(() -> connection.exec("SELECT * FROM sqlite_schema"), Fault.REPLICA_CORRUPT);
        }
        Path missing = dir.resolve("no/such/folder.db");
        assertFault(() -> SqliteConnection.open(missing, EnumSet.of(OpenFlag.READWRITE)), Fault.DISK_FAILED)
                .hasMessageContaining(missing.toString());
    }

    @Test
    void a_connection_opened_to_read_refuses_to_write_and_says_it_is_readonly() {
        open().close();
        try (SqliteConnection writer = open()) {
            writer.exec("CREATE TABLE t(a)");
            assertThat(writer.isReadonly()).isFalse();
        }
        try (SqliteConnection reader = openReadonly()) {
            assertThat(reader.isReadonly()).isTrue();
            assertFault(() -> reader.exec("INSERT INTO t VALUES (1)"), Fault.FORBIDDEN);
        }
    }

    @Test
    void a_connection_set_to_query_only_refuses_to_write_and_that_is_not_the_disks_fault() {
        try (SqliteConnection connection = open()) {
            connection.exec("CREATE TABLE t(a); PRAGMA query_only = ON");
            assertFault(() -> connection.exec("INSERT INTO t VALUES (1)"), Fault.FORBIDDEN);
        }
    }

    @Test
    void flags_that_contradict_each_other_are_refused() {
        Path file = dir.resolve("t.db");
        assertThatThrownBy(() -> SqliteConnection.open(file, EnumSet.of(OpenFlag.READONLY, OpenFlag.READWRITE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SqliteConnection.open(file, EnumSet.of(OpenFlag.READONLY, OpenFlag.CREATE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SqliteConnection.open(file, EnumSet.noneOf(OpenFlag.class)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void another_writers_lock_is_busy_and_waiting_for_it_succeeds_when_it_goes() throws InterruptedException {
        try (SqliteConnection first = open();
                SqliteConnection second = open()) {
            first.exec("PRAGMA journal_mode = WAL; CREATE TABLE t(a)");
            first.exec("BEGIN IMMEDIATE");
            assertFault(() -> second.exec("BEGIN IMMEDIATE"), Fault.BUSY);

            second.busyTimeout(Duration.ofSeconds(30));
            Thread waiting = Thread.ofPlatform().start(() -> second.exec("INSERT INTO t VALUES (1)"));
            first.exec("COMMIT");
            waiting.join();
            assertThat(count(first, "SELECT count(*) FROM t")).isEqualTo(1);
        }
    }

    @Test
    void changes_are_those_of_the_statement_that_finished_last() {
        try (SqliteConnection connection = open()) {
            connection.exec("CREATE TABLE t(a); CREATE TABLE log(a);"
                    + "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END");
            connection.exec("INSERT INTO t VALUES (1), (2), (3)");
            assertThat(connection.changes()).isEqualTo(3);
            assertThat(connection.totalChanges()).isEqualTo(6);
            assertThat(connection.lastInsertRowid()).isEqualTo(3);
            connection.exec("SELECT 1");
            assertThat(connection.changes()).isZero();
            connection.exec("UPDATE t SET a = 0 WHERE a > 1");
            assertThat(connection.changes()).isEqualTo(2);
            connection.exec("CREATE TABLE other(a)");
            assertThat(connection.changes()).isZero();
            connection.exec("DELETE FROM t");
            assertThat(connection.changes()).isEqualTo(3);
            connection.exec("DELETE FROM t");
            assertThat(connection.changes()).isZero();
        }
    }

    @Test
    void a_transaction_is_seen_and_rolled_back_by_close() {
        try (SqliteConnection connection = open()) {
            connection.exec("CREATE TABLE t(a)");
            assertThat(connection.isAutocommit()).isTrue();
            connection.exec("BEGIN; INSERT INTO t VALUES (1)");
            assertThat(connection.isAutocommit()).isFalse();
        }
        try (SqliteConnection connection = open()) {
            assertThat(count(connection, "SELECT count(*) FROM t")).isZero();
        }
    }

    @Test
    void a_checkpoint_tells_how_far_it_came() {
        try (SqliteConnection writer = open();
                SqliteConnection reader = open()) {
            assertThat(writer.checkpoint(CheckpointMode.PASSIVE)).isEqualTo(new CheckpointResult(false, -1, -1));
            assertThat(writer.walBytes()).isZero();

            writer.exec("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1)");
            assertThat(writer.walBytes()).isPositive();
            reader.exec("BEGIN");
            assertThat(count(reader, "SELECT count(*) FROM t")).isEqualTo(1);
            writer.exec("INSERT INTO t VALUES (2)");

            CheckpointResult heldUp = writer.checkpoint(CheckpointMode.PASSIVE);
            assertThat(heldUp.logFrames()).isGreaterThan(heldUp.checkpointedFrames());
            assertThat(writer.checkpoint(CheckpointMode.TRUNCATE).busy()).isTrue();

            reader.exec("COMMIT");
            assertThat(writer.checkpoint(CheckpointMode.TRUNCATE)).isEqualTo(new CheckpointResult(false, 0, 0));
            assertThat(writer.walBytes()).isZero();
        }
    }

    @Test
    void a_checkpoint_inside_a_transaction_is_busy() {
        try (SqliteConnection connection = open()) {
            connection.exec("PRAGMA journal_mode = WAL; CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES (1)");
            assertFault(() -> connection.checkpoint(CheckpointMode.FULL), Fault.BUSY);
        }
    }

    @Test
    void limits_are_set_and_hold() {
        try (SqliteConnection connection = open()) {
            int before = connection.limit(SqliteLimit.LENGTH);
            assertThat(connection.limit(SqliteLimit.LENGTH, 1000)).isEqualTo(before);
            assertThat(connection.limit(SqliteLimit.LENGTH)).isEqualTo(1000);
            assertFault(() -> connection.exec("SELECT zeroblob(1001)"), Fault.TOO_LARGE);
            try (SqliteStatement statement = connection.prepare("SELECT ?")) {
                assertFault(() -> statement.bindText(1, "x".repeat(1001)), Fault.TOO_LARGE);
            }
            connection.limit(SqliteLimit.SQL_LENGTH, 50);
            assertFault(() -> connection.prepare("SELECT " + "1+".repeat(50) + "1"), Fault.TOO_LARGE);
            connection.limit(SqliteLimit.ATTACHED, 0);
            assertFault(() -> connection.exec("ATTACH ':memory:' AS b"), Fault.STATEMENT_INVALID);
        }
    }

    @Test
    void a_closed_connection_says_so_and_so_do_its_statements() {
        SqliteConnection connection = open();
        SqliteStatement statement = connection.prepare("SELECT 1");
        assertThat(statement.step()).isTrue();
        connection.close();
        connection.close();
        connection.interrupt();
        statement.close();
        for (ThrowingCallable use : new ThrowingCallable[] {
            () -> connection.exec("SELECT 1"),
            () -> connection.prepare("SELECT 1"),
            connection::changes,
            connection::isAutocommit,
            () -> connection.checkpoint(CheckpointMode.PASSIVE),
            () -> connection.authorizer(null),
            () -> connection.limit(SqliteLimit.LENGTH),
            statement::step,
            statement::reset,
            statement::columnCount,
            () -> statement.intAt(0),
            () -> statement.bindInt(1, 1),
            () -> statement.bindText(1, "a"),
            statement::normalizedSql,
        }) {
            assertThatThrownBy(use).isInstanceOf(IllegalStateException.class).hasMessageContaining("is closed");
        }
    }

    @Test
    void a_database_in_memory_is_its_own() {
        try (SqliteConnection first = SqliteConnection.openInMemory();
                SqliteConnection second = SqliteConnection.openInMemory()) {
            first.exec("CREATE TABLE t(a)");
            assertThat(count(second, "SELECT count(*) FROM sqlite_schema")).isZero();
        }
    }

    @Test
    void a_uri_is_understood_when_asked_for() {
        open().close();
        Path uri = Path.of("file:" + dir.resolve("t.db") + "?mode=ro");
        try (SqliteConnection connection = SqliteConnection.open(uri, EnumSet.of(OpenFlag.READWRITE, OpenFlag.URI))) {
            assertThat(connection.isReadonly()).isTrue();
        }
    }

    private SqliteConnection open() {
        return SqliteConnection.open(dir.resolve("t.db"), EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE));
    }

    private SqliteConnection openReadonly() {
        return SqliteConnection.open(dir.resolve("t.db"), EnumSet.of(OpenFlag.READONLY));
    }

    private static long count(SqliteConnection connection, String sql) {
        try (SqliteStatement statement = connection.prepare(sql)) {
            assertThat(statement.step()).isTrue();
            return statement.intAt(0);
        }
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertFault(ThrowingCallable call, Fault fault) {
        return assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(fault));
    }
}
