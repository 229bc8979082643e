package dev.perigee.query.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.policy.Policy.Action;
import dev.perigee.sqlite.Authorizer;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The views that policies put in the place of tables, and what SQLite's compiler is answered then.
class PolicingTest {
    private static final String TABLES = """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, owner TEXT, total);
            INSERT INTO orders VALUES (1, 'me', 10), (2, 'you', 20), (3, 'me', 30);
            CREATE TABLE secrets (id INTEGER PRIMARY KEY, text);
            INSERT INTO secrets VALUES (1, 'hidden');
            CREATE VIEW large AS SELECT * FROM orders WHERE total > 15;
            CREATE VIEW leak AS SELECT * FROM secrets""";

    private static final Policies MINE =
            new Policies(List.of(policy(Action.SELECT), policy(Action.INSERT), policy(Action.UPDATE)));

    private SqliteConnection connection;
    private Policing policing;

    @BeforeEach
    void open() {
        connection = SqliteConnection.openInMemory();
        connection.exec(TABLES);
        policing = new Policing(connection);
        policing.install(MINE, _ -> true);
        police(true);
    }

    @AfterEach
    void close() {
        connection.close();
    }

    private static Policy policy(Action action) {
        return new Policy(action, "ORDERS", "owner", "=", "me", "string");
    }

    private void police(boolean isOn) {
        connection.authorizer(
                !isOn
                        ? null
                        : (action, arg1, arg2, database, by) -> {
                            policing.refusal(action, arg1, arg2, database, by).ifPresent(refusal -> {
                                throw refusal;
                            });
                            return Authorizer.Decision.OK;
                        });
    }

    /// The first column of what a client gets.
    private List<String> rows(String sql) {
        policing.begin(sql, null);
        List<String> rows = new ArrayList<>();
        try (SqliteStatement statement = connection.prepare(sql)) {
            while (statement.step()) rows.add(String.valueOf(statement.textAt(0)));
        }
        return rows;
    }

    private PerigeeException refusal(String sql) {
        try {
            throw new AssertionError(sql + " is answered " + rows(sql));
        } catch (SqliteException e) {
            if (e.getCause() instanceof PerigeeException refusal) return refusal;
            throw e;
        } catch (PerigeeException e) {
            return e;
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SELECT id FROM orders ORDER BY id | 1,3",
                "SELECT count(*) FROM Orders | 2",
                "SELECT id FROM orders AS o WHERE EXISTS (SELECT 1 FROM \"orders\" WHERE total = 20) | ``",
                "SELECT a.id FROM orders a JOIN orders b ORDER BY 1 | 1,1,3,3",
                "SELECT id FROM large | 3",
                "SELECT count(*) FROM large | 1",
                "WITH x AS (SELECT 1) SELECT count(*) FROM x | 1",
                "WITH secrets AS (SELECT 5 AS id) SELECT id FROM secrets | 5",
                "SELECT value FROM json_each('[7]') | 7",
                "SELECT count(*) FROM pragma_table_info('orders') | 3",
            })
    void a_name_means_the_rows_that_the_policies_leave(String sql, String expected) {
        assertThat(String.join(",", rows(sql))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM main.orders",
                "SELECT count(*) FROM main.orders",
                "SELECT * FROM large, main.orders",
                "SELECT * FROM secrets",
                "SELECT count(*) FROM secrets",
                "SELECT * FROM leak",
                "SELECT count(*) FROM leak",
                "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM secrets)",
                "SELECT changes()",
                "SELECT Total_Changes()",
                "EXPLAIN SELECT * FROM orders",
                "; /* a */ explain query plan SELECT * FROM orders",
                "SELECT sqlite_returning FROM orders",
                "UPDATE main.orders SET total = 0",
                "INSERT INTO secrets VALUES (2, 'x')",
                "CREATE TABLE mine (a)",
                "CREATE TEMP VIEW orders2 AS SELECT 1",
                "DROP VIEW temp.orders",
                "PRAGMA table_list",
            })
    void everything_else_is_refused(String sql) {
        assertThat(refusal(sql).fault()).isEqualTo(Fault.FORBIDDEN);
    }

    @Test
    void a_write_meets_the_view_and_is_known_to_be_one() {
        String sql = "INSERT INTO orders (owner, total) VALUES ('me', 1)";
        assertThatThrownBy(() -> rows(sql)).isInstanceOf(SqliteException.class).satisfies(failure -> {
            assertThat(policing.wantsToWrite((SqliteException) failure)).isTrue();
            assertThat(policing.insertInto()).contains("orders");
        });
        assertThatThrownBy(() -> rows("SELECT nothing FROM orders"))
                .isInstanceOf(SqliteException.class)
                .satisfies(failure -> assertThat(policing.wantsToWrite((SqliteException) failure))
                        .isFalse());
    }

    @Test
    void an_insert_writes_its_target_itself_and_reads_it_only_to_return_it() {
        String plain = "INSERT INTO main.orders (owner, total) VALUES ('me', 1) RETURNING id";
        policing.begin(plain, "Orders");
        try (SqliteStatement insert = connection.prepare(plain)) {
            assertThat(insert.step()).isTrue();
        }
        String reading = "INSERT INTO main.orders (owner, total) SELECT owner, total FROM main.orders";
        policing.begin(reading, "orders");
        assertThatThrownBy(() -> connection.prepare(reading)).hasStackTraceContaining("send two statements");
    }

    @Test
    void names_that_were_given_away_and_taken_back_mean_the_tables_again() {
        String secret = policing.secretName("x");
        assertThat(refusal("SELECT * FROM " + secret).getMessage()).contains("not available");
        assertThat(new Policing(connection).secretName("x")).isNotEqualTo(secret);

        police(false);
        policing.uncover("ORDERS");
        assertThat(rows("SELECT count(*) FROM orders")).containsExactly("3");
        policing.remove();
        assertThat(rows("SELECT count(*) FROM temp.sqlite_schema")).containsExactly("0");
        policing.install(new Policies(List.of()), _ -> true);
        police(true);
        assertThat(refusal("SELECT * FROM orders").getMessage()).contains("No policy lets clients read");
    }
}
