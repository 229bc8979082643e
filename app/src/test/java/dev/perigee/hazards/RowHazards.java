package dev.perigee.hazards;

import static dev.perigee.hazards.Hazard.Trait.DELETES;
import static dev.perigee.hazards.Hazard.Trait.GOES_BACK;
import static dev.perigee.hazards.LateHazards.NOW;
import static dev.perigee.hazards.LateHazards.SERIAL;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/// Rows that leave, come back, change their key or their place while they are read.
final class RowHazards {
    private static final String FILLED = NOW + """
            INSERT INTO t (c, v) SELECT now() - interval '1 day' + i * interval '1 second', 'first ' || i
            FROM generate_series(1, 300) i;""";

    /// Rows of the transaction that is large.
    static final int LARGE_ROWS = Integer.getInteger("hazard.rows", 50_000);

    private RowHazards() {}

    static List<Hazard> all() {
        return List.of(
                Hazard.of("rows_move_to_a_later_page_while_they_are_loaded", FILLED, stage -> {
                    stage.betweenPages(() -> {
                        stage.execute("UPDATE t SET c = now(), v = 'moved' WHERE id IN (3, 51, 75, 120, 299)");
                        return stage;
                    });
                    stage.poll();
                }),
                Hazard.of("rows_move_to_an_earlier_page_while_they_are_loaded", FILLED, stage -> {
                    stage.betweenPages(() -> {
                        stage.execute("UPDATE t SET c = '2020-01-01Z', v = 'moved' WHERE id IN (60, 120, 290)");
                        return stage;
                    });
                    stage.poll();
                }),
                Hazard.of("a_connection_is_cut_in_the_first_load_and_rows_move_meanwhile", FILLED, stage -> {
                    stage.wire().failAfter(9_000, dev.perigee.testing.TcpProxy.Fault.CLOSE);
                    stage.tryPoll();
                    stage.wire().heal();
                    Session late = stage.session()
                            .run("INSERT INTO t (c, v) VALUES (now() - interval '23 hours 59 minutes', 'late')");
                    stage.execute("UPDATE t SET c = now(), v = 'moved' WHERE id % 7 = 0");
                    stage.poll();
                    late.commit();
                }),
                Hazard.of(
                        "rows_are_deleted_between_pages",
                        FILLED,
                        stage -> {
                            stage.betweenPages(() -> {
                                stage.execute("DELETE FROM t WHERE id % 3 = 0");
                                return stage;
                            });
                            stage.poll();
                            stage.execute("DELETE FROM t WHERE id % 5 = 0; INSERT INTO t (v) VALUES ('new')");
                            stage.poll();
                        },
                        DELETES),
                Hazard.of("rows_are_deleted_and_come_back_between_pages", FILLED, stage -> {
                    stage.betweenPages(() -> {
                        stage.execute(List.of(
                                "DELETE FROM t WHERE id % 3 = 0",
                                "INSERT INTO t (id, v) SELECT i, 'again' FROM generate_series(3, 300, 3) i"));
                        return stage;
                    });
                    stage.poll();
                    Session late =
                            stage.session().run("DELETE FROM t WHERE id = 7; INSERT INTO t (id, v) VALUES (7, 'late')");
                    stage.execute("INSERT INTO t (v) VALUES ('other')");
                    stage.poll();
                    late.commit();
                }),
                Hazard.of(
                        "keys_change",
                        FILLED,
                        stage -> {
                            stage.poll();
                            stage.execute("UPDATE t SET id = id + 1000, c = now(), v = 'new key' WHERE id % 10 = 0");
                            stage.poll();
                            Session late = stage.session()
                                    .run("UPDATE t SET id = id + 5000, c = now(), v = 'late' WHERE id < 5");
                            stage.execute("INSERT INTO t (v) VALUES ('other')");
                            stage.poll();
                            late.commit();
                        },
                        DELETES),
                Hazard.of("two_rows_swap_their_keys", FILLED, stage -> {
                    stage.poll();
                    stage.execute("""
                            UPDATE t SET id = -1 WHERE id = 1; UPDATE t SET id = 1, c = now(), v = 'was 2' WHERE id = 2;
                            UPDATE t SET id = 2, c = now(), v = 'was 1' WHERE id = -1""");
                    stage.poll();
                }),
                Hazard.of(
                        "a_table_is_truncated_between_pages_and_filled_again",
                        FILLED,
                        stage -> {
                            Session truncating = stage.session();
                            CompletableFuture<?>[] truncated = new CompletableFuture<?>[1];
                            stage.betweenPages(
                                    () -> truncated[0] = truncating.start(
                                            "TRUNCATE t; INSERT INTO t (v) SELECT 'after ' || i FROM generate_series(1, 70) i"));
                            stage.poll();
                            truncated[0].join();
                            stage.poll();
                        },
                        DELETES,
                        GOES_BACK),
                Hazard.of(
                        "a_table_is_truncated_and_its_numbers_begin_again",
                        SERIAL,
                        stage -> {
                            stage.execute("INSERT INTO t (v) SELECT 'before ' || i FROM generate_series(1, 120) i");
                            stage.poll();
                            stage.pastGuard();
                            stage.poll(2);
                            stage.execute("TRUNCATE t RESTART IDENTITY");
                            stage.execute("INSERT INTO t (v) SELECT 'after ' || i FROM generate_series(1, 70) i");
                            stage.poll(2);
                        },
                        DELETES,
                        GOES_BACK),
                Hazard.of("one_transaction_writes_very_many_rows", NOW, stage -> {
                    stage.execute("INSERT INTO t (v) VALUES ('first')");
                    stage.poll();
                    Session large = stage.session();
                    large.run("INSERT INTO t (v) SELECT i::text FROM generate_series(1, %d) i".formatted(LARGE_ROWS));
                    stage.execute("INSERT INTO t (v) VALUES ('other')");
                    stage.poll();
                    large.commit();
                }),
                new Hazard(
                        "two_tables_are_written_in_one_transaction",
                        """
                        CREATE TABLE orders (id bigserial PRIMARY KEY, c timestamptz NOT NULL DEFAULT now(), v text);
                        CREATE TABLE lines (id bigserial PRIMARY KEY, c timestamptz NOT NULL DEFAULT clock_timestamp(), v text,
                                            order_id bigint NOT NULL REFERENCES orders);""",
                        List.of(new Hazard.Table("orders", "c", "id"), new Hazard.Table("lines", "c", "id")),
                        Set.of(),
                        RowHazards::ordersAndLines),
                new Hazard(
                        "it_takes_long_to_look_for_late_rows_of_one_of_two_tables",
                        """
                        CREATE TABLE orders (id bigserial PRIMARY KEY, c timestamptz NOT NULL DEFAULT now(), v text);
                        CREATE TABLE written (id bigserial PRIMARY KEY, c timestamptz NOT NULL DEFAULT now(), v text,
                                              order_id bigint NOT NULL REFERENCES orders);
                        CREATE VIEW lines AS
                        SELECT * FROM written WHERE (SELECT pg_sleep(0.15)) IS NOT NULL;""",
                        List.of(new Hazard.Table("orders", "c", "id"), new Hazard.Table("lines", "c", "id")),
                        Set.of(Hazard.Trait.BY_CURSOR),
                        RowHazards::slowLines));
    }

    private static void slowLines(Stage stage) throws Exception {
        String both = """
                WITH o AS (INSERT INTO orders (v) VALUES ('%1$s') RETURNING id)
                INSERT INTO written (v, order_id) SELECT '%1$s', o.id FROM o, generate_series(1, 3)""";
        Session late = stage.session().run(both.formatted("late"));
        stage.execute(both.formatted("first"));
        stage.poll(2);
        late.commit();
        stage.poll();
        requireWhole(stage);
    }

    private static void ordersAndLines(Stage stage) throws Exception {
        String both = """
                WITH o AS (INSERT INTO orders (v) VALUES ('%1$s') RETURNING id)
                INSERT INTO lines (v, order_id) SELECT '%1$s', o.id FROM o, generate_series(1, 3)""";
        Session late = stage.session().run(both.formatted("late"));
        for (int i = 0; i < 4; i++) {
            stage.betweenPages(() -> {
                stage.execute(both.formatted("between"));
                return stage;
            });
            stage.execute(both.formatted("before"));
            stage.poll();
            requireWhole(stage);
        }
        late.commit();
        stage.poll();
        requireWhole(stage);
    }

    /// In a group, no line is without its order and no order without its lines.
    private static void requireWhole(Stage stage) {
        if (!(stage.follower() instanceof PerigeeFollower perigee) || !perigee.isGroup()) return;
        List<List<String>> torn = perigee.query("""
                SELECT count(*) FROM (SELECT order_id FROM lines GROUP BY 1 HAVING count(*) <> 3)
                UNION ALL SELECT count(*) FROM lines WHERE order_id NOT IN (SELECT id FROM orders)
                UNION ALL SELECT count(*) FROM orders WHERE id NOT IN (SELECT order_id FROM lines)""");
        if (!torn.stream().allMatch(row -> row.equals(List.of("0")))) throw new AssertionError("torn: " + torn);
    }
}
