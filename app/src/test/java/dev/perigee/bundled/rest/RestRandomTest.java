package dev.perigee.bundled.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.plugin.Json;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestPostgres;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random conditions, nested, on the replica and on PostgreSQL: `/rest` finds what the SQL finds that they mean.
class RestRandomTest {
    private static final List<String> TEXTS =
            List.of("a", "b,c", "(d)", "e\"f", "'", "%", "a_", "5", "null", "", "or(a");
    private static final Map<String, String> COMPARISONS =
            Map.of("eq", "=", "ne", "<>", "gt", ">", "lt", "<", "gte", ">=", "lte", "<=");
    private static final List<String> OPERATORS = List.copyOf(COMPARISONS.keySet());

    private record Condition(String rest, String sql) {}

    @TempDir
    Path folder;

    @Test
    @Contract({
        "Kept: GET /rest filters with col=v and col.op=v, for eq ne gt lt gte lte like in",
        "Kept: GET /rest sorts and pages with sort_by, order, limit, offset"
    })
    void random_nested_conditions_find_the_rows_that_sql_finds_in_both_places() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (TestPostgres postgres = TestPostgres.create();
                ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
            List<String> rows = new ArrayList<>();
            for (int id = 1; id <= 40; id++) {
                rows.add("(%d, %s, %s)"
                        .formatted(id, nullOr(random, "" + number(random)), nullOr(random, text(random))));
            }
            String create = "CREATE TABLE r (id INTEGER PRIMARY KEY, n BIGINT, \"t.x\" TEXT%s)";
            String insert = "INSERT INTO r VALUES " + String.join(",", rows);
            perigee.query(create.formatted(""));
            perigee.query(insert);
            postgres.execute(create.formatted(" COLLATE \"C\"") + ";" + insert);
            for (int round = 0; round < 120; round++) {
                Condition condition = condition(random, 0);
                boolean descending = random.nextBoolean();
                int limit = random.nextInt(45);
                int offset = random.nextInt(3);
                String path = "/rest/r?select=id&sort_by=id&order=%s&limit=%d&offset=%d&or=%s"
                        .formatted(
                                descending ? "desc" : "asc",
                                limit,
                                offset,
                                URLEncoder.encode("(" + condition.rest() + ")", StandardCharsets.UTF_8));
                String sql = "SELECT id FROM r WHERE %s ORDER BY id %s LIMIT %d OFFSET %d"
                        .formatted(condition.sql(), descending ? "DESC" : "ASC", limit, offset);
                for (String where : List.of("", "source=external")) {
                    Reply seen = get(perigee, path + "&" + where);
                    Reply expected = perigee.call(
                            ServedPerigee.TOKEN,
                            "POST",
                            "/query?" + where,
                            Json.MAPPER.writeValueAsString(Map.of("sql", sql)));
                    assertThat(expected.status()).as(expected.text()).isEqualTo(200);
                    assertThat(seen.text()).as("seed %d: %s", seed, condition).isEqualTo(expected.text());
                }
            }
        }
    }

    private static Condition condition(Random random, int depth) {
        if (depth < 3 && random.nextInt(3) == 0) {
            boolean isOr = random.nextBoolean();
            List<Condition> parts = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) parts.add(condition(random, depth + 1));
            String rest = parts.stream().map(Condition::rest).collect(Collectors.joining(","));
            String sql = parts.stream().map(Condition::sql).collect(Collectors.joining(isOr ? " OR " : " AND "));
            return new Condition((isOr ? "or(" : "and(") + rest + ")", "(" + sql + ")");
        }
        boolean isText = random.nextBoolean();
        String column = isText ? "\"t.x\"" : "n";
        String restColumn = isText && random.nextBoolean() ? "t.x" : column;
        switch (random.nextInt(4)) {
            case 0 -> {
                boolean isNull = random.nextBoolean();
                return new Condition(
                        restColumn + ".is." + (isNull ? "null" : "not.null"),
                        column + " IS " + (isNull ? "NULL" : "NOT NULL"));
            }
            case 1 -> {
                List<String> values = new ArrayList<>();
                for (int i = random.nextInt(3); i >= 0; i--) values.add(isText ? text(random) : "" + number(random));
                return new Condition(
                        "%s.in.(%s)"
                                .formatted(
                                        restColumn,
                                        values.stream()
                                                .map(RestRandomTest::rest)
                                                .collect(Collectors.joining(","))),
                        "%s IN (%s)".formatted(column, String.join(",", values)));
            }
            default -> {
                String operator = OPERATORS.get(random.nextInt(OPERATORS.size()));
                String value = isText ? text(random) : "" + number(random);
                return new Condition(
                        "%s.%s.%s".formatted(restColumn, operator, rest(value)),
                        "%s %s %s".formatted(column, COMPARISONS.get(operator), value));
            }
        }
    }

    /// A literal of SQL as `/rest` writes it.
    private static String rest(String literal) {
        if (!literal.startsWith("'")) return literal;
        String text = literal.substring(1, literal.length() - 1).replace("''", "'");
        return '"' + text.replace("\"", "\"\"") + '"';
    }

    private static String text(Random random) {
        return "'" + TEXTS.get(random.nextInt(TEXTS.size())).replace("'", "''") + "'";
    }

    private static long number(Random random) {
        return random.nextInt(4) == 0 ? Long.MAX_VALUE - random.nextInt(2) : random.nextInt(7) - 3;
    }

    private static String nullOr(Random random, String literal) {
        return random.nextInt(5) == 0 ? "NULL" : literal;
    }

    private static Reply get(ServedPerigee perigee, String path) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, "GET", path, "");
    }
}
