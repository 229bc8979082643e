package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import java.nio.file.Path;
import java.util.EnumSet;
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
        try (SqliteConnection connection = SqliteConnection.open(dir.resolve("t.db"), EnumSet.of(OpenFlag.READONLY));
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

    private SqliteConnection open() {
        return SqliteConnection.open(dir.resolve("t.db"), EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE));
    }
}
