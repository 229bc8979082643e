package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Authorizer.Decision;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What SQLite calls back: the authorizer, functions; and that nothing they do can hurt.
class CallbacksTest {
    private SqliteConnection connection;

    @BeforeEach
    void open() {
        connection = SqliteConnection.openInMemory();
        connection.exec("CREATE TABLE t(a INTEGER PRIMARY KEY, secret); INSERT INTO t VALUES (1, 'x')");
    }

    @AfterEach
    void close() {
        connection.close();
    }

    @Test
    void the_authorizer_is_told_what_a_statement_touches() {
        List<String> asked = new ArrayList<>();
        connection.authorizer((action, arg1, arg2, database, trigger) -> {
            asked.add("%d %s %s %s %s".formatted(action, arg1, arg2, database, trigger));
            return Decision.OK;
        });
        connection.prepare("UPDATE t SET secret = a WHERE upper(secret) = 'X'").close();
        assertThat(asked)
                .containsOnly(
                        AuthorizerAction.UPDATE + " t secret main null",
                        AuthorizerAction.READ + " t a main null",
                        AuthorizerAction.READ + " t secret main null",
                        AuthorizerAction.FUNCTION + " null upper null null");
    }

    @Test
    void what_it_denies_is_forbidden_and_what_it_ignores_reads_as_null() {
        connection.authorizer((action, table, column, _, _) -> {
            if (action == AuthorizerAction.DELETE) return Decision.DENY;
            return action == AuthorizerAction.READ && "secret".equals(column) ? Decision.IGNORE : Decision.OK;
        });
        assertThatThrownBy(() -> connection.exec("DELETE FROM t"))
                .isInstanceOfSatisfying(
                        SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.FORBIDDEN))
                .hasMessageContaining("not authorized");
        assertThat(values("SELECT a, secret FROM t")).containsExactly(new Value.Int(1), Value.Null.NULL);
    }

    @Test
    void what_it_throws_denies_and_is_the_cause() {
        IllegalArgumentException thrown = new IllegalArgumentException("mine");
        connection.authorizer((_, _, _, _, _) -> {
            throw thrown;
        });
        assertThatThrownBy(() -> connection.exec("SELECT 1"))
                .isInstanceOfSatisfying(
                        SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.FORBIDDEN))
                .hasCause(thrown);
        connection.authorizer(null);
        connection.exec("SELECT 1");
    }

    @Test
    void a_first_authorizer_is_asked_about_older_statements_and_the_next_one_is_not() {
        try (SqliteStatement statement = connection.prepare("SELECT secret FROM t")) {
            assertThat(statement.step()).isTrue();
            statement.reset();
            connection.authorizer((_, _, _, _, _) -> Decision.DENY);
            assertThatThrownBy(statement::step).isInstanceOf(SqliteException.class);

            connection.authorizer((_, _, _, _, _) -> Decision.OK);
            assertThat(statement.step()).isTrue();
            statement.reset();
            connection.authorizer((_, _, _, _, _) -> Decision.DENY);
            assertThat(statement.step()).isTrue();
            statement.reset();
            connection.authorizer(null);
            assertThat(statement.step()).isTrue();
        }
    }

    @Test
    void a_callback_cannot_close_what_is_calling_it() {
        SqliteStatement[] running = new SqliteStatement[1];
        List<Throwable> thrown = new ArrayList<>();
        connection.function("misuse", 0, EnumSet.noneOf(SqliteFunction.Trait.class), _ -> {
            for (Runnable use : List.<Runnable>of(connection::close, running[0]::close, running[0]::step)) {
                try {
                    use.run();
                } catch (IllegalStateException e) {
                    thrown.add(e);
                }
            }
            return new Value.Int(7);
        });
        running[0] = connection.prepare("SELECT misuse()");
        assertThat(running[0].step()).isTrue();
        assertThat(running[0].intAt(0)).isEqualTo(7);
        assertThat(thrown).hasSize(3);
    }

    @Test
    void a_function_gets_and_gives_every_kind_of_value() {
        connection.function("same", 1, EnumSet.of(SqliteFunction.Trait.DETERMINISTIC), List::getFirst);
        assertThat(values(
                        "SELECT same(-5), same(1.5), same('ä' || char(0) || 'b'), same(x'00ff'), same(NULL), same('')"))
                .containsExactlyElementsOf(values("SELECT -5, 1.5, 'ä' || char(0) || 'b', x'00ff', NULL, ''"));
        assertThatThrownBy(() -> connection.exec("SELECT same(1, 2)"))
                .hasMessageContaining("wrong number of arguments");
    }

    @Test
    void a_function_may_run_statements_of_its_connection() {
        connection.function(
                "rows_of_t",
                -1,
                EnumSet.noneOf(SqliteFunction.Trait.class),
                _ -> values("SELECT count(*) FROM t").getFirst());
        assertThat(values("SELECT rows_of_t(1, 2)")).containsExactly(new Value.Int(1));
    }

    @Test
    void what_a_function_throws_fails_the_statement_and_is_the_cause() {
        AtomicInteger calls = new AtomicInteger();
        connection.function("fail", 1, EnumSet.noneOf(SqliteFunction.Trait.class), _ -> {
            calls.incrementAndGet();
            throw new ArithmeticException("mine");
        });
        assertThatThrownBy(() -> connection.exec("INSERT INTO t SELECT fail(a), 1 FROM t"))
                .isInstanceOfSatisfying(
                        SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.STATEMENT_INVALID))
                .hasCauseInstanceOf(ArithmeticException.class);
        assertThat(calls).hasValue(1);
        assertThat(values("SELECT count(*) FROM t")).containsExactly(new Value.Int(1));
    }

    private List<Value> values(String sql) {
        try (SqliteStatement statement = connection.prepare(sql)) {
            assertThat(statement.step()).isTrue();
            List<Value> values = new ArrayList<>();
            for (int i = 0; i < statement.columnCount(); i++) values.add(statement.valueAt(i));
            return values;
        }
    }
}
