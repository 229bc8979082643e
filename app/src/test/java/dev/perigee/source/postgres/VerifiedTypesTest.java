package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.source.postgres.PostgresTypesTest.Case;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Verification compares values as they are stored: over the whole type table and all options, what a sync stored is
/// found to be the same.
class VerifiedTypesTest {
    @TempDir
    Path folder;

    @Test
    void after_a_sync_no_value_of_any_type_is_called_different() {
        Map<String, List<Case>> byOptions = new LinkedHashMap<>();
        PostgresTypesTest.cases()
                .forEach(one -> byOptions
                        .computeIfAbsent(
                                "'numeric': '%s', 'timestamps': '%s'"
                                        .formatted(one.numeric(), one.timestamps())
                                        .toLowerCase(Locale.ROOT),
                                _ -> new ArrayList<>())
                        .add(one));
        try (TestPostgres postgres = TestPostgres.create();
                ServedPerigee perigee = ServedPerigee.forAdmins(folder, postgres.config())) {
            PostgresTypesTest.createTypes(postgres);
            int number = 0;
            for (var options : byOptions.entrySet()) {
                String table = "t" + number++;
                fill(postgres, table, options.getValue());
                for (String key : List.of("id", "name")) {
                    perigee.call("POST", "/replication/tables", """
                                    {'name': '%s', 'cursorColumn': 'id', 'interval': '1h', 'key': ['%s'], %s}
                                    """.formatted(table, key, options.getKey()))
                            .result();
                    JsonNode proof = perigee.call("POST", "/replication/tables/" + table + "/verify", "")
                            .result()
                            .get("proof");
                    assertThat(proof.get("verdict").asString())
                            .as(options.getKey() + proof)
                            .isEqualTo("equal");
                    assertThat(proof.get("rows").asInt()).isEqualTo(2);

                    inReplica(perigee, "UPDATE %s SET v0 = 'wrong' WHERE id = 1".formatted(table));
                    JsonNode repaired = perigee.call(
                                    "POST", "/replication/tables/" + table + "/verify", "{'repair': true}")
                            .result()
                            .get("proof");
                    assertThat(repaired.get("verdict").asString())
                            .as(options.getKey() + repaired)
                            .isEqualTo("repaired");
                    assertThat(repaired.get("different").asInt()).isEqualTo(1);
                    assertThat(perigee.value("SELECT count(*) FROM " + table)).isEqualTo("2");
                }
            }
            assertThat(number).isEqualTo(4);
        }
    }

    @Test
    void json_null_and_sql_null_within_an_array_or_a_composite_are_two_values() {
        try (TestPostgres postgres = TestPostgres.create();
                ServedPerigee perigee = ServedPerigee.forAdmins(folder, postgres.config())) {
            postgres.execute("""
                    CREATE TYPE doc AS (j jsonb);
                    CREATE TABLE t (id int PRIMARY KEY, v jsonb[], d doc);
                    INSERT INTO t VALUES (1, array['null'::jsonb, NULL], ROW('null'::jsonb)),
                        (2, array[NULL, 'null'::jsonb], ROW(NULL))""");
            perigee.call("POST", "/replication/tables", "{'name': 't', 'cursorColumn': 'id', 'interval': '1h'}")
                    .result();
            String verify = "/replication/tables/t/verify";
            assertThat(perigee.call("POST", verify, "")
                            .result()
                            .at("/proof/verdict")
                            .asString())
                    .isEqualTo("equal");
            assertThat(perigee.value("SELECT count(DISTINCT v) + count(DISTINCT d) FROM t"))
                    .isEqualTo("4");
            inReplica(perigee, "UPDATE t SET v = '[null,null]', d = '{\"j\":null}' WHERE id = 1");
            JsonNode proof = perigee.call("POST", verify, "").result();
            assertThat(proof.at("/proof/different").asInt())
                    .as(proof.toString())
                    .isEqualTo(1);
        }
    }

    /// Past everything that keeps callers from writing to copies.
    private static void inReplica(ServedPerigee perigee, String sql) {
        perigee.perigee().store().write(tx -> {
            tx.connection().exec(sql);
            return true;
        });
    }

    /// Two rows: all the values, and NULL in each column.
    private static void fill(TestPostgres postgres, String table, List<Case> cases) {
        String columns = IntStream.range(0, cases.size())
                .mapToObj(i -> ", v%d %s".formatted(i, cases.get(i).type()))
                .collect(Collectors.joining());
        String values = cases.stream().map(one -> ", " + one.value()).collect(Collectors.joining());
        postgres.execute("""
                CREATE TABLE %1$s (id int PRIMARY KEY, name text NOT NULL UNIQUE %2$s);
                INSERT INTO %1$s VALUES (1, 'a' %3$s), (2, 'b' %4$s)
                """.formatted(table, columns, values, ", NULL".repeat(cases.size())));
    }
}
