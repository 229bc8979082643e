package dev.perigee.query.policy;

import dev.perigee.fault.Fault;
import dev.perigee.query.policy.Policy.Action;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// The row-level security policies of the replica, as of one read. All policies of a table and an action have to hold.
/// Without any policy for an action, clients may not do it.
public record Policies(List<Policy> all) {
    /// The most policies there may be. Each becomes part of every statement on its table.
    static final int MAX_POLICIES = 1000;

    public static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_rls_policies (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                actions TEXT NOT NULL CHECK (actions IN ('SELECT', 'UPDATE', 'INSERT', 'DELETE')),
                schema TEXT,
                "table" TEXT NOT NULL,
                "column" TEXT NOT NULL,
                value TEXT NOT NULL,
                value_type TEXT NOT NULL DEFAULT 'string'
                    CHECK (lower(value_type) IN ('string', 'number', 'boolean', 'query')),
                operator TEXT DEFAULT '='
                    CHECK (upper(operator) IN ('=', '==', '!=', '<>', '<', '<=', '>', '>=', 'LIKE', 'NOT LIKE', 'GLOB',
                        'IS', 'IS NOT', 'IN', 'NOT IN')),
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
            )""");

    /// Policies for another schema than `main` do not apply to the replica.
    private static final String SELECT = """
            SELECT actions, "table", "column", operator, value, value_type FROM main.tmp_rls_policies
            WHERE lower(coalesce(schema, '')) IN ('', 'main') ORDER BY id LIMIT %d""".formatted(MAX_POLICIES + 1);

    public Policies {
        all = List.copyOf(all);
    }

    /// Reads the policies as the open transaction sees them.
    public static Policies read(SqliteConnection connection) {
        List<Policy> policies = new ArrayList<>();
        try (SqliteStatement select = connection.prepare(SELECT)) {
            while (select.step()) {
                policies.add(new Policy(
                        Action.valueOf(text(select, 0)),
                        text(select, 1),
                        text(select, 2),
                        Objects.requireNonNullElse(select.textAt(3), "="),
                        text(select, 4),
                        text(select, 5)));
            }
        }
        if (policies.size() > MAX_POLICIES) {
            throw Fault.TOO_LARGE.saying(
                    "tmp_rls_policies has more than %d rows: clients can run statements again when it has fewer."
                            .formatted(MAX_POLICIES));
        }
        return new Policies(policies);
    }

    boolean has(String table, Action action) {
        return all.stream().anyMatch(policy -> policy.action() == action && isSame(policy.table(), table));
    }

    /// The condition that a row has to satisfy, as SQL. Without a policy it is `0`, which no row satisfies.
    ///
    /// @param prefix what stands before each column's name, such as `OLD.`
    /// @param columns the table's columns; a policy for any other column holds for no row
    String condition(String table, Action action, String prefix, List<String> columns) {
        List<String> conditions = new ArrayList<>();
        for (Policy policy : all) {
            if (policy.action() != action || !isSame(policy.table(), table)) continue;
            boolean isColumn = columns.stream().anyMatch(column -> isSame(column, policy.column()));
            Optional<String> sql = isColumn ? policy.sql(prefix) : Optional.empty();
            conditions.add(sql.map(text -> "(" + text + ")").orElse("0"));
        }
        return conditions.isEmpty() ? "0" : String.join(" AND ", conditions);
    }

    private static boolean isSame(String one, String other) {
        return SqlNames.folded(one).equals(SqlNames.folded(other));
    }

    /// Tables that have a policy, folded as SQLite folds names.
    List<String> tables() {
        return all.stream()
                .map(policy -> SqlNames.folded(policy.table()))
                .distinct()
                .toList();
    }

    private static String text(SqliteStatement select, int column) {
        return String.valueOf(select.textAt(column));
    }
}
