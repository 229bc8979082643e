package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteStatement.Origin;
import dev.perigee.sqlite.SqliteStatement.Type;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Values in and out, names and types of columns, and a statement's life.
class SqliteStatementTest {
    private SqliteConnection connection;

    @BeforeEach
    void open() {
        connection = SqliteConnection.openInMemory();
    }

    @AfterEach
    void close() {
        connection.close();
    }

    @Test
    void every_storage_class_comes_back_as_it_went_in() {
        try (SqliteStatement statement = connection.prepare("SELECT ?, ?, ?, ?, ?")) {
            statement.bindInt(1, Long.MIN_VALUE).bindReal(2, -1.5e300).bindText(3, "Grüße 😀");
            statement.bindBlob(4, new byte[] {0, -1, 127}).bindNull(5);
            assertThat(statement.step()).isTrue();
            assertThat(statement.type(0)).isEqualTo(Type.INTEGER);
            assertThat(statement.intAt(0)).isEqualTo(Long.MIN_VALUE);
            assertThat(statement.type(1)).isEqualTo(Type.REAL);
            assertThat(statement.realAt(1)).isEqualTo(-1.5e300);
            assertThat(statement.type(2)).isEqualTo(Type.TEXT);
            assertThat(statement.textAt(2)).isEqualTo("Grüße 😀");
            assertThat(statement.type(3)).isEqualTo(Type.BLOB);
            assertThat(statement.blobAt(3)).containsExactly(0, -1, 127);
            assertThat(statement.type(4)).isEqualTo(Type.NULL);
            assertThat(statement.textAt(4)).isNull();
            assertThat(statement.blobAt(4)).isNull();
            assertThat(statement.intAt(4)).isZero();
            assertThat(statement.lengthAt(4)).isZero();
        }
    }

    @Test
    void affinity_is_that_of_the_declared_type() {
        connection.exec("CREATE TABLE t(i INTEGER, r REAL, x TEXT, b BLOB, d DECIMAL(12,2))");
        try (SqliteStatement insert = connection.prepare("INSERT INTO t VALUES (?1, ?1, ?1, ?1, ?1)")) {
            insert.bindText(1, "12.0").run();
        }
        try (SqliteStatement select = connection.prepare("SELECT * FROM t")) {
            assertThat(select.step()).isTrue();
            assertThat(select.valueAt(0)).isEqualTo(new Value.Int(12));
            assertThat(select.valueAt(1)).isEqualTo(new Value.Real(12));
            assertThat(select.valueAt(2)).isEqualTo(new Value.Text("12.0"));
            assertThat(select.valueAt(3)).isEqualTo(new Value.Text("12.0"));
            assertThat(select.valueAt(4)).isEqualTo(new Value.Int(12));
        }
    }

    @Test
    void nan_is_refused_and_infinity_and_negative_zero_are_what_sqlite_makes_of_them() {
        try (SqliteStatement statement = connection.prepare("SELECT ?")) {
            assertThatThrownBy(() -> statement.bindReal(1, Double.NaN)).isInstanceOf(IllegalArgumentException.class);
            statement.bindReal(1, Double.NEGATIVE_INFINITY).step();
            assertThat(statement.realAt(0)).isEqualTo(Double.NEGATIVE_INFINITY);
        }
        connection.exec("CREATE TABLE t(r REAL)");
        try (SqliteStatement insert = connection.prepare("INSERT INTO t VALUES (?)")) {
            insert.bindReal(1, -0.0).run();
        }
        // As types.md says: a REAL column keeps small whole numbers as integers, which have no negative zero.
        assertThat(only("SELECT r FROM t")).isEqualTo(new Value.Real(0.0));
    }

    @Test
    void empty_text_and_empty_blobs_are_not_null() {
        try (SqliteStatement statement = connection.prepare("SELECT ?, ?, ?, ?");
                Arena arena = Arena.ofConfined()) {
            MemorySegment none = arena.allocate(0);
            statement.bindText(1, "").bindBlob(2, new byte[0]);
            statement.bindTextStatic(3, none, 0, 0).bindBlobStatic(4, MemorySegment.NULL, 0, 0);
            statement.step();
            assertThat(statement.type(0)).isEqualTo(Type.TEXT);
            assertThat(statement.textAt(0)).isEmpty();
            assertThat(statement.type(1)).isEqualTo(Type.BLOB);
            assertThat(statement.blobAt(1)).isEmpty();
            assertThat(statement.type(2)).isEqualTo(Type.TEXT);
            assertThat(statement.textAt(2)).isEmpty();
            assertThat(statement.type(3)).isEqualTo(Type.BLOB);
            assertThat(statement.blobAt(3)).isEmpty();
        }
    }

    @Test
    void text_with_a_zero_character_is_stored_whole() {
        try (SqliteStatement statement = connection.prepare("SELECT ?1, length(?1), length(CAST(?1 AS BLOB))")) {
            statement.bindText(1, "a\0b").step();
            assertThat(statement.textAt(0)).isEqualTo("a\0b");
            assertThat(statement.lengthAt(0)).isEqualTo(3);
            // SQLite's own functions stop at it.
            assertThat(statement.intAt(1)).isEqualTo(1);
            assertThat(statement.intAt(2)).isEqualTo(3);
        }
    }

    @Test
    void half_a_surrogate_pair_is_refused_and_a_question_mark_is_not() {
        try (SqliteStatement statement = connection.prepare("SELECT ?")) {
            for (String broken : new String[] {"\ud83d", "abc\ud83d", "\ude00\ud83d", "é\ud83dé", "12345678\ud83d?"}) {
                assertThatThrownBy(() -> statement.bindText(1, broken))
                        .isInstanceOfSatisfying(
                                PerigeeException.class,
                                e -> assertThat(e.fault()).isEqualTo(Fault.INVALID_REQUEST))
                        .hasMessageContaining("parameter 1");
            }
            for (String whole : new String[] {"?", "1234567?", "12345678?", "?\ud83d\ude00?", "what? é? 😀?"}) {
                statement.bindText(1, whole).step();
                assertThat(statement.textAt(0)).isEqualTo(whole);
                statement.reset();
            }
            assertThatThrownBy(() -> connection.exec("SELECT '\ud83d'")).isInstanceOf(PerigeeException.class);
        }
    }

    @Test
    void bytes_that_are_not_utf_8_are_read_as_replacement_characters() {
        try (SqliteStatement statement = connection.prepare("SELECT CAST(x'61ff62' AS TEXT)")) {
            statement.step();
            assertThat(statement.textAt(0)).isEqualTo("a\ufffdb");
            assertThat(statement.blobAt(0)).containsExactly('a', 0xff, 'b');
        }
    }

    @Test
    void static_memory_is_read_where_it_is_until_bound_anew() {
        connection.exec("CREATE TABLE t(a, b)");
        byte[] utf8 = "xxGrüßexx".getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined();
                SqliteStatement insert = connection.prepare("INSERT INTO t VALUES (?, ?)")) {
            MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8);
            insert.bindTextStatic(1, memory, 2, utf8.length - 4).bindBlobStatic(2, memory, 0, 2);
            insert.run();
            assertThatThrownBy(() -> insert.bindTextStatic(1, memory, 2, utf8.length))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> insert.bindTextStatic(1, MemorySegment.ofArray(utf8), 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            insert.clearBindings();
        }
        assertThat(only("SELECT a FROM t")).isEqualTo(new Value.Text("Grüße"));
        assertThat(only("SELECT hex(b) FROM t")).isEqualTo(new Value.Text("7878"));
    }

    @Test
    void cells_are_copied_into_the_callers_array_which_grows_when_it_must() {
        try (SqliteStatement statement = connection.prepare("SELECT 'abc', zeroblob(5000), NULL, 12")) {
            statement.step();
            byte[] buffer = new byte[10];
            assertThat(statement.bytesAt(0, buffer)).isSameAs(buffer).startsWith('a', 'b', 'c');
            assertThat(statement.lengthAt(0)).isEqualTo(3);
            assertThat(statement.bytesAt(1, buffer)).hasSizeGreaterThanOrEqualTo(5000);
            assertThat(statement.lengthAt(1)).isEqualTo(5000);
            assertThat(statement.bytesAt(2, buffer)).isSameAs(buffer);
            assertThat(statement.bytesAt(3, buffer)).startsWith('1', '2');
        }
    }

    @Test
    void parameters_have_names_and_numbers() {
        try (SqliteStatement statement = connection.prepare("SELECT :a, @b, $c, ?5, ?")) {
            assertThat(statement.parameterCount()).isEqualTo(6);
            assertThat(statement.parameterIndex("@b")).isEqualTo(2);
            assertThat(statement.parameterIndex("b")).isZero();
            assertThat(statement.parameterName(3)).isEqualTo("$c");
            assertThat(statement.parameterName(5)).isEqualTo("?5");
            assertThat(statement.parameterName(6)).isNull();
            assertThatThrownBy(() -> statement.bindInt(7, 1))
                    .isInstanceOfSatisfying(
                            SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.STATEMENT_INVALID))
                    .hasMessageContaining("Parameter 7");
        }
    }

    @Test
    void columns_have_names_declared_types_and_origins() {
        connection.exec("CREATE TABLE t(a DECIMAL(12,2), b)");
        try (SqliteStatement statement = connection.prepare("SELECT a AS x, b, a + 1, a FROM t")) {
            assertThat(statement.columnCount()).isEqualTo(4);
            assertThat(statement.columnName(0)).isEqualTo("x");
            assertThat(statement.columnName(2)).isEqualTo("a + 1");
            assertThat(statement.columnName(3)).isEqualTo("a");
            assertThat(statement.declaredType(0)).isEqualTo("DECIMAL(12,2)");
            assertThat(statement.declaredType(1)).isNull();
            assertThat(statement.declaredType(2)).isNull();
            assertThat(statement.origin(0)).isEqualTo(new Origin("main", "t", "a"));
            assertThat(statement.origin(2)).isNull();
            assertThatThrownBy(() -> statement.columnName(4)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void a_cell_is_read_only_where_there_is_a_row() {
        try (SqliteStatement statement = connection.prepare("SELECT 1")) {
            assertThatThrownBy(() -> statement.intAt(0)).isInstanceOf(IllegalStateException.class);
            statement.step();
            assertThatThrownBy(() -> statement.intAt(1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> statement.intAt(-1)).isInstanceOf(IndexOutOfBoundsException.class);
            statement.step();
            assertThatThrownBy(() -> statement.intAt(0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void a_running_statement_cannot_be_bound_and_a_finished_one_can() {
        try (SqliteStatement statement = connection.prepare("SELECT ?")) {
            statement.bindInt(1, 1).step();
            assertThatThrownBy(() -> statement.bindInt(1, 2))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("reset");
            assertThat(statement.step()).isFalse();
            statement.bindInt(1, 2).step();
            assertThat(statement.intAt(0)).isEqualTo(2);
            statement.reset().bindInt(1, 3).step();
            assertThat(statement.intAt(0)).isEqualTo(3);
            statement.reset().step();
            assertThat(statement.intAt(0)).isEqualTo(3);
            statement.reset().clearBindings().step();
            assertThat(statement.type(0)).isEqualTo(Type.NULL);
        }
    }

    @Test
    void a_statement_that_failed_runs_again_once_the_cause_is_gone() {
        connection.exec("CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES (1)");
        try (SqliteStatement insert = connection.prepare("INSERT INTO t VALUES (1)")) {
            assertThatThrownBy(insert::run).isInstanceOf(SqliteException.class);
            assertThat(connection.changes()).isZero();
            connection.exec("DELETE FROM t");
            insert.run();
            assertThat(connection.changes()).isEqualTo(1);
        }
    }

    @Test
    void a_schema_change_is_followed() {
        connection.exec("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
        try (SqliteStatement select = connection.prepare("SELECT * FROM t")) {
            assertThat(select.columnCount()).isEqualTo(1);
            connection.exec("ALTER TABLE t ADD COLUMN b DEFAULT 'new'");
            assertThat(select.step()).isTrue();
            assertThat(select.columnCount()).isEqualTo(2);
            assertThat(select.textAt(1)).isEqualTo("new");
        }
    }

    @Test
    void the_tail_is_what_follows_the_first_statement() {
        try (SqliteStatement statement = connection.prepare("SELECT 'ä' ; SELECT 'ö'")) {
            assertThat(statement.sql()).isEqualTo("SELECT 'ä' ;");
            assertThat(statement.tail()).isEqualTo(" SELECT 'ö'");
        }
        try (SqliteStatement statement = connection.prepare("SELECT 1")) {
            assertThat(statement.sql()).isEqualTo("SELECT 1");
            assertThat(statement.tail()).isEmpty();
        }
    }

    @Test
    void sqlite_judges_what_only_reads() {
        connection.exec("CREATE TABLE t(a)");
        assertReadonly("SELECT * FROM t", true);
        assertReadonly("WITH x AS (SELECT 1) SELECT * FROM x", true);
        assertReadonly("BEGIN", true);
        assertReadonly("INSERT INTO t VALUES (1) RETURNING a", false);
        assertReadonly("WITH x AS (SELECT 1) DELETE FROM t", false);
        assertReadonly("CREATE TABLE u(a)", false);
        assertReadonly("PRAGMA user_version = 7", false);
    }

    private void assertReadonly(String sql, boolean expected) {
        try (SqliteStatement statement = connection.prepare(sql)) {
            assertThat(statement.isReadonly()).as(sql).isEqualTo(expected);
        }
    }

    @Test
    void statements_that_differ_in_literals_have_one_normalized_text() {
        connection.exec("CREATE TABLE t(a, b)");
        String normalized = normalized("select a from t where b = 'x' and a in (1, 2, 3)");
        assertThat(normalized).isEqualTo(normalized("SELECT  a FROM t WHERE b='y;--' AND a IN (4,5)"));
        assertThat(normalized).doesNotContain("x").isNotEqualTo(normalized("SELECT b FROM t WHERE a = 1"));
    }

    private String normalized(String sql) {
        try (SqliteStatement statement = connection.prepare(sql)) {
            return statement.normalizedSql();
        }
    }

    @Test
    void what_fails_while_running_is_the_statements_own_fault() {
        assertThatThrownBy(() -> connection.exec("SELECT abs(-9223372036854775808)"))
                .isInstanceOfSatisfying(
                        SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.STATEMENT_INVALID))
                .hasMessageContaining("integer overflow");
    }

    private Value only(String sql) {
        try (SqliteStatement statement = connection.prepare(sql)) {
            assertThat(statement.step()).isTrue();
            return statement.valueAt(0);
        }
    }
}
