package dev.perigee.hazards;

import static dev.perigee.hazards.Hazard.Trait.GOES_BACK;
import static dev.perigee.hazards.Hazard.Trait.UNPROMISED;
import static dev.perigee.hazards.LateHazards.NOW;
import static dev.perigee.hazards.LateHazards.SERIAL;
import static dev.perigee.hazards.LateHazards.UUID7;
import static dev.perigee.hazards.LateHazards.stamped;

import java.util.List;

/// Cursor values that lose something in another type, that stand where nothing is greater, or that mean no order.
final class ValueHazards {
    private ValueHazards() {}

    static List<Hazard> all() {
        return List.of(
                Hazard.of("some_rows_have_no_cursor_value", stamped("timestamptz DEFAULT now()"), stage -> {
                    stage.execute("INSERT INTO t (c, v) SELECT NULL, 'none ' || i FROM generate_series(1, 120) i");
                    stage.execute("INSERT INTO t (v) SELECT 'some ' || i FROM generate_series(1, 20) i");
                    stage.poll();
                    stage.execute("UPDATE t SET v = 'changed' WHERE id % 10 = 0 AND c IS NULL");
                    stage.execute("UPDATE t SET c = now(), v = 'has one now' WHERE id % 10 = 1 AND c IS NULL");
                    stage.execute("UPDATE t SET c = NULL, v = 'has none now' WHERE id IN (121, 122)");
                    stage.poll();
                    Session late = stage.session().run("INSERT INTO t (c, v) VALUES (NULL, 'late')");
                    stage.execute("INSERT INTO t (v) VALUES ('other')");
                    stage.poll();
                    late.commit();
                }),
                Hazard.of("infinity_stands_above_all_that_comes", NOW, stage -> {
                    stage.execute("INSERT INTO t (c, v) VALUES ('infinity', 'end'), ('-infinity', 'beginning')");
                    others(stage, 3);
                    stage.pastGuard();
                    others(stage, 3);
                    Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
                    others(stage, 2);
                    late.commit();
                }),
                Hazard.of("not_a_number_stands_above_all_that_comes", stamped("float8 NOT NULL"), stage -> {
                    stage.execute("INSERT INTO t (c, v) VALUES (1, 'a'), ('NaN', 'b'), ('Infinity', 'c')");
                    stage.poll();
                    for (int i = 2; i < 6; i++) {
                        stage.execute("INSERT INTO t (c, v) VALUES (%d, 'more')".formatted(i));
                        stage.poll();
                    }
                }),
                Hazard.of("a_numeric_that_is_not_a_number", stamped("numeric NOT NULL"), stage -> {
                    stage.execute("INSERT INTO t (c, v) VALUES ('-Infinity', 'z'), (1, 'a'), ('NaN', 'b')");
                    stage.poll();
                    for (int i = 2; i < 6; i++) {
                        stage.execute("INSERT INTO t (c, v) VALUES (%d.5, 'more')".formatted(i));
                        stage.poll();
                    }
                }),
                Hazard.of("one_row_is_stamped_an_hour_ahead", NOW, stage -> {
                    stage.execute("INSERT INTO t (c, v) VALUES (now() + interval '1 hour', 'ahead')");
                    others(stage, 3);
                    stage.pastGuard();
                    others(stage, 3);
                }),
                Hazard.of("values_differ_by_a_microsecond", NOW, stage -> {
                    for (int i = 0; i < 3; i++) {
                        stage.execute("""
                                INSERT INTO t (c, v) SELECT timestamptz '2026-01-01Z' + i * interval '1 microsecond', 'x'
                                FROM generate_series(%d, %d) i""".formatted(i * 77, i * 77 + 76));
                        stage.poll();
                    }
                }),
                Hazard.of("integers_beyond_what_a_double_can_tell_apart", stamped("bigint NOT NULL"), stage -> {
                    for (int i = 0; i < 3; i++) {
                        stage.execute(
                                "INSERT INTO t (c, v) SELECT 9007199254740992 + i, 'x' FROM generate_series(%d, %d) i"
                                        .formatted(i * 77, i * 77 + 76));
                        stage.poll();
                    }
                }),
                Hazard.of("fractions_that_no_double_can_tell_apart", stamped("numeric NOT NULL"), stage -> {
                    for (int i = 0; i < 3; i++) {
                        stage.execute("""
                                INSERT INTO t (c, v) SELECT 12345678901234567890 + i * 0.000000001, 'x'
                                FROM generate_series(%d, %d) i""".formatted(i * 77, i * 77 + 76));
                        stage.poll();
                    }
                }),
                Hazard.of("a_day_is_the_cursor", stamped("date NOT NULL DEFAULT current_date"), stage -> {
                    stage.execute("INSERT INTO t (id, v) SELECT 1000 + i, 'x' FROM generate_series(1, 120) i");
                    stage.poll();
                    stage.pastGuard();
                    stage.poll(2);
                    stage.execute("INSERT INTO t (id, v) SELECT i, 'smaller keys' FROM generate_series(1, 60) i");
                    stage.poll();
                }),
                Hazard.of(
                        "seconds_without_fractions_are_rounded_up",
                        stamped("timestamptz(0) NOT NULL DEFAULT now()"),
                        stage -> {
                            for (int i = 30; i > 0; i--) {
                                stage.execute(
                                        "INSERT INTO t (id, v) VALUES (%d, 'smaller and smaller keys')".formatted(i));
                                if (i % 3 == 0) stage.poll();
                                if (i % 10 == 0) stage.pastGuard();
                            }
                        }),
                Hazard.of("the_clock_on_the_wall_skips_an_hour", stamped("timestamp NOT NULL"), stage -> {
                    // The hour that this JVM's zone does not have, and the servers' has.
                    for (int minute = 0; minute < 120; minute += 10) {
                        stage.execute("""
                                INSERT INTO t (c, v) SELECT timestamp '2026-03-29 01:30' + i * interval '1 minute', 'x'
                                FROM generate_series(%d, %d) i""".formatted(minute, minute + 9));
                        stage.poll();
                    }
                }),
                Hazard.of(
                        "the_clock_on_the_wall_is_set_back_an_hour",
                        stamped("timestamp NOT NULL DEFAULT localtimestamp"),
                        stage -> {
                            // Two zones stand for one in which summer time ends.
                            for (int i = 0; i < 3; i++) {
                                stage.execute("SET timezone = 'Etc/GMT-2'; INSERT INTO t (v) VALUES ('summer')");
                                stage.poll();
                            }
                            stage.pastGuard();
                            for (int i = 0; i < 3; i++) {
                                stage.execute("SET timezone = 'Etc/GMT-1'; INSERT INTO t (v) VALUES ('winter')");
                                stage.poll();
                            }
                        }),
                Hazard.of("linguistic_order_of_text", stamped("text COLLATE \"de-x-icu\" NOT NULL"), stage -> {
                    for (String letters : List.of("aAbBzZ", "äÄöÖßéÉ", "-_ .")) {
                        stage.execute("""
                                INSERT INTO t (c, v) SELECT l || n, 'x' FROM unnest(string_to_array('%s', NULL)) l,
                                generate_series(1, 15) n""".formatted(letters));
                        stage.poll();
                    }
                }),
                Hazard.of("numbers_as_text_are_ordered_as_text", stamped("text COLLATE \"C\" NOT NULL"), stage -> {
                    for (int i = 1; i < 130; i += 16) {
                        stage.execute("INSERT INTO t (c, v) SELECT i::text, 'x' FROM generate_series(%d, %d) i"
                                .formatted(i, i + 15));
                        stage.poll();
                    }
                }),
                Hazard.of("a_text_that_needs_quoting", stamped("text COLLATE \"C\" NOT NULL"), stage -> {
                    for (String c : List.of("a''b", "a\\b", "b\"c", "b%d", "c\\.", "d\ne", "e\tf")) {
                        stage.execute("INSERT INTO t (c, v) VALUES ('%s', 'x')".formatted(c));
                        stage.poll();
                    }
                }),
                Hazard.of("uuids_of_version_7", UUID7, stage -> {
                    others(stage, 2);
                    Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
                    stage.pastGuard();
                    others(stage, 2);
                    late.commit();
                }),
                Hazard.of(
                        "random_uuids",
                        stamped("uuid NOT NULL DEFAULT gen_random_uuid()"),
                        stage -> others(stage, 12),
                        UNPROMISED),
                Hazard.of(
                        "a_sequence_hands_out_numbers_ahead",
                        SERIAL + "ALTER SEQUENCE t_c_seq CACHE 20;",
                        stage -> {
                            Session one = stage.session();
                            Session two = stage.session();
                            for (int i = 0; i < 15; i++) {
                                (i % 3 == 0 ? one : two)
                                        .run("INSERT INTO t (v) VALUES ('x')")
                                        .commit();
                                stage.poll();
                                if (i == 8) stage.pastGuard();
                            }
                        },
                        UNPROMISED),
                Hazard.of(
                        "a_sequence_begins_again",
                        SERIAL + "ALTER SEQUENCE t_c_seq MAXVALUE 40 CYCLE;",
                        stage -> {
                            for (int i = 0; i < 8; i++) {
                                stage.execute("INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 9)");
                                stage.poll();
                            }
                        },
                        UNPROMISED),
                Hazard.of(
                        "a_sequence_is_set_back",
                        SERIAL,
                        stage -> {
                            others(stage, 5);
                            stage.pastGuard();
                            others(stage, 2);
                            stage.execute("SELECT setval('t_c_seq', 1)");
                            others(stage, 3);
                        },
                        GOES_BACK),
                Hazard.of(
                        "blocks_of_numbers_are_drawn_in_one_transaction_and_used_in_others",
                        SERIAL + "ALTER SEQUENCE t_c_seq INCREMENT BY 50;",
                        stage -> {
                            Session pooled = stage.session();
                            long block = Long.parseLong(pooled.value("SELECT nextval('t_c_seq')"));
                            pooled.commit();
                            others(stage, 3);
                            stage.pastGuard();
                            others(stage, 2);
                            for (int i = 0; i < 5; i++) {
                                pooled.run("INSERT INTO t (c, v) VALUES (%d, 'from a block')".formatted(block + i));
                                pooled.commit();
                            }
                            others(stage, 2);
                        },
                        UNPROMISED));
    }

    private static void others(Stage stage, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            stage.execute("INSERT INTO t (v) VALUES ('other')");
            stage.poll();
        }
    }
}
