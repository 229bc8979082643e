package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Copies of a database in use.
class SqliteBackupTest {
    private static final String FILL = "CREATE TABLE t(a); INSERT INTO t SELECT randomblob(1000) FROM"
            + " (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i FROM n)";

    @TempDir
    private Path dir;

    @Test
    void a_copy_goes_page_by_page_and_tells_how_far_it_is() {
        try (SqliteConnection source = open("t.db")) {
            source.exec(FILL);
            try (SqliteBackup backup = source.backup(dir.resolve("copy.db"))) {
                assertThat(backup.step(10)).isFalse();
                assertThat(backup.totalPages()).isGreaterThan(50);
                assertThat(backup.remainingPages()).isEqualTo(backup.totalPages() - 10);
                int steps = 1;
                while (!backup.step(10)) steps++;
                assertThat(steps).isGreaterThan(4);
                assertThat(backup.remainingPages()).isZero();
                assertThat(backup.step(10)).isTrue();
            }
        }
        assertThat(sum("copy.db")).isEqualTo(sum("t.db"));
    }

    @Test
    void a_write_in_between_is_in_the_copy() {
        try (SqliteConnection source = open("t.db");
                SqliteConnection writer = open("t.db")) {
            source.exec("PRAGMA journal_mode = WAL");
            source.exec(FILL);
            try (SqliteBackup backup = source.backup(dir.resolve("copy.db"))) {
                assertThat(backup.step(10)).isFalse();
                writer.exec("INSERT INTO t VALUES ('late')");
                source.exec("INSERT INTO t VALUES ('later')");
                while (!backup.step(10)) assertThat(backup.remainingPages()).isPositive();
            }
            assertThat(sum("copy.db")).isEqualTo(sum("t.db")).startsWith("202 ");
        }
    }

    @Test
    void inside_a_read_transaction_the_copy_is_of_that_moment_however_much_is_written() {
        try (SqliteConnection source = open("t.db");
                SqliteConnection writer = open("t.db")) {
            writer.exec("PRAGMA journal_mode = WAL");
            writer.exec(FILL);
            String before = sum("t.db");
            source.exec("BEGIN; SELECT count(*) FROM t");
            try (SqliteBackup backup = source.backup(dir.resolve("copy.db"))) {
                boolean done = false;
                int steps = 0;
                while (!done) {
                    writer.exec("INSERT INTO t VALUES ('late')");
                    done = backup.step(5);
                    steps++;
                    // Had a write made it begin again, it would never end.
                    assertThat(steps).isLessThan(100);
                }
            }
            source.exec("COMMIT");
            assertThat(sum("copy.db")).isEqualTo(before);
        }
    }

    @Test
    void a_backup_given_up_leaves_an_empty_file_and_says_when_it_is_closed() {
        try (SqliteConnection source = open("t.db")) {
            source.exec(FILL);
            SqliteBackup backup = source.backup(dir.resolve("copy.db"));
            backup.step(10);
            backup.close();
            backup.close();
            assertThat(dir.resolve("copy.db")).isEmptyFile();
            assertThatThrownBy(() -> backup.step(10))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is closed");
            assertThat(Files.exists(dir.resolve("copy.db-journal"))).isFalse();
        }
    }

    @Test
    void closing_the_connection_closes_its_backups() {
        SqliteConnection source = open("t.db");
        source.exec(FILL);
        SqliteBackup backup = source.backup(dir.resolve("copy.db"));
        backup.step(10);
        source.close();
        assertThatThrownBy(() -> backup.step(10)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void a_writer_in_the_way_is_busy_and_the_same_step_succeeds_later() {
        try (SqliteConnection source = open("t.db");
                SqliteConnection writer = open("t.db")) {
            source.exec(FILL);
            try (SqliteBackup backup = source.backup(dir.resolve("copy.db"))) {
                writer.exec("BEGIN EXCLUSIVE");
                assertThatThrownBy(() -> backup.step(-1))
                        .isInstanceOfSatisfying(
                                SqliteException.class,
                                e -> assertThat(e.fault()).isEqualTo(Fault.BUSY))
                        .hasMessageContaining("database is locked");
                writer.exec("COMMIT");
                assertThat(backup.step(-1)).isTrue();
            }
        }
        assertThat(sum("copy.db")).isEqualTo(sum("t.db"));
    }

    @Test
    void a_target_that_cannot_be_made_is_the_disk() {
        try (SqliteConnection source = open("t.db")) {
            assertThatThrownBy(() -> source.backup(dir.resolve("no/such/copy.db")))
                    .isInstanceOfSatisfying(
                            SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.DISK_FAILED));
        }
    }

    private SqliteConnection open(String name) {
        return SqliteConnection.open(dir.resolve(name), EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE));
    }

    /// The table's size and content in a line.
    private String sum(String name) {
        try (SqliteConnection connection = SqliteConnection.open(dir.resolve(name), EnumSet.of(OpenFlag.READONLY));
                SqliteStatement statement =
                        connection.prepare("SELECT count(*) || ' ' || group_concat(hex(a) ORDER BY rowid) FROM t")) {
            assertThat(statement.step()).isTrue();
            return String.valueOf(statement.textAt(0));
        }
    }
}
