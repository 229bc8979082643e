package dev.perigee.hazards;

import static dev.perigee.hazards.Hazard.Trait.BY_CURSOR;
import static dev.perigee.hazards.Hazard.Trait.OWN_SERVER;
import static dev.perigee.hazards.LateHazards.NOW;

import dev.perigee.testing.TcpProxy.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// A network, a server or a clock that fails, while rows come late.
final class FaultHazards {
    private static final String WIDE = NOW + """
            INSERT INTO t (c, v) SELECT now() - interval '1 hour' + i * interval '1 second', 'first ' || repeat('x', 100)
            FROM generate_series(1, 400) i;""";

    private static final int CUTS = 6;

    /// Bytes that the server sends in a whole first load, more or less.
    private static final int LOAD_BYTES = 70_000;

    private FaultHazards() {}

    static List<Hazard> all() {
        List<Hazard> all = new ArrayList<>();
        for (Fault fault : List.of(Fault.CLOSE, Fault.RESET)) {
            String how = fault == Fault.CLOSE ? "closed" : "reset";
            all.add(Hazard.of("the_connection_is_%s_after_any_byte".formatted(how), WIDE, stage -> cut(stage, fault)));
        }
        all.add(Hazard.of("the_network_swallows_everything_after_a_byte", WIDE, stage -> {
            Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
            stage.wire().failAfter(20_000 + stage.random().nextInt(30_000), Fault.BLACK_HOLE);
            require(stage.tryPoll().isPresent() || !isPerigee(stage), "a poll must fail when nothing arrives");
            stage.wire().heal();
            stage.poll();
            late.commit();
        }));
        all.add(Hazard.of(
                "a_statement_takes_longer_than_it_may",
                NOW + """
                CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
                    IF EXISTS (SELECT FROM public.slowness) THEN PERFORM pg_sleep(9); END IF; RETURN $1; END $$;
                CREATE TABLE slowness ();
                ALTER TABLE t RENAME TO base; CREATE VIEW t AS SELECT id, c, slow(v) AS v FROM base;
                """,
                stage -> {
                    Session late = stage.session().run("INSERT INTO base (v) VALUES ('late')");
                    stage.execute("INSERT INTO base (v) SELECT i::text FROM generate_series(1, 60) i");
                    stage.poll();
                    stage.execute(
                            "INSERT INTO slowness DEFAULT VALUES; INSERT INTO base (v) VALUES ('while it is slow')");
                    Optional<String> failure = stage.startPoll().join();
                    require(failure.isPresent() || !isPerigee(stage), "a poll must not wait for ever");
                    late.commit();
                    stage.execute("TRUNCATE slowness");
                },
                BY_CURSOR));
        all.add(Hazard.of("a_table_is_locked_for_longer_than_a_statement_may_take", NOW, stage -> {
            stage.execute("INSERT INTO t (v) VALUES ('first')");
            stage.poll();
            Session locking =
                    stage.session().run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE; INSERT INTO t (v) VALUES ('late')");
            CompletableFuture<Optional<String>> poll = stage.startPoll();
            if (isPerigee(stage)) require(poll.join().isPresent(), "a poll must not wait for ever");
            locking.commit();
            poll.join();
        }));
        all.add(Hazard.of("a_table_is_locked_for_a_while", NOW, stage -> {
            stage.execute("INSERT INTO t (v) VALUES ('first')");
            stage.poll();
            Session locking = stage.session();
            locking.value("SELECT now()::text");
            stage.execute("INSERT INTO t (v) VALUES ('other')");
            stage.poll();
            locking.run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE; INSERT INTO t (v) VALUES ('late')");
            CompletableFuture<Optional<String>> poll = stage.startPoll();
            stage.awaitBlocked();
            locking.commit();
            poll.join();
        }));
        all.add(Hazard.of(
                "the_server_crashes_and_comes_back",
                WIDE,
                stage -> {
                    stage.poll();
                    Session lost = stage.session().run("INSERT INTO t (v) VALUES ('never committed')");
                    Session prepared = stage.session().run("INSERT INTO t (v) VALUES ('prepared')");
                    prepared.run("PREPARE TRANSACTION 'survivor'");
                    stage.execute("INSERT INTO t (v) VALUES ('before')");
                    stage.poll();
                    stage.crashServer();
                    lost.close();
                    stage.execute("INSERT INTO t (v) VALUES ('after')");
                    stage.tryPoll();
                    stage.execute("INSERT INTO t (v) VALUES ('after that')");
                    stage.poll();
                    stage.session().alone("COMMIT PREPARED 'survivor'");
                },
                OWN_SERVER));
        all.add(Hazard.of(
                "the_server_crashes_in_the_first_load",
                WIDE,
                stage -> {
                    stage.betweenPages(() -> {
                        stage.crashServer();
                        return stage;
                    });
                    stage.tryPoll();
                    stage.execute("INSERT INTO t (v) VALUES ('after')");
                },
                OWN_SERVER));
        all.add(Hazard.of("the_server_ends_the_follower's_session", WIDE, stage -> {
            Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
            stage.betweenPages(() -> {
                stage.execute("""
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'writer'""");
                return stage;
            });
            stage.tryPoll();
            stage.poll();
            late.commit();
        }));
        all.add(Hazard.of("no_connection_is_left_at_the_server", NOW, stage -> {
            stage.execute("INSERT INTO t (v) VALUES ('first')");
            stage.poll();
            Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
            stage.execute("INSERT INTO t (v) VALUES ('while nobody gets in')");
            stage.letIn(false);
            require(stage.tryPoll().isPresent() || !isPerigee(stage), "a poll must fail when nobody gets in");
            stage.letIn(true);
            stage.poll();
            late.commit();
        }));
        all.add(Hazard.of("the_follower's_clock_takes_steps", NOW, stage -> {
            Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
            for (Duration step : List.of(Duration.ofHours(2), Duration.ofDays(-3), Duration.ofDays(400))) {
                stage.execute("INSERT INTO t (v) VALUES ('other')");
                stage.poll();
                stage.clock().step(step);
                stage.execute("INSERT INTO t (v) VALUES ('other')");
                stage.poll();
            }
            stage.follower().restart();
            stage.pastGuard();
            stage.poll(2);
            late.commit();
        }));
        return all;
    }

    private static void cut(Stage stage, Fault fault) throws Exception {
        Session late = stage.session().run("INSERT INTO t (v) VALUES ('late')");
        for (int i = 0; i < CUTS; i++) {
            stage.wire().failAfter(stage.random().nextInt(i == 0 ? LOAD_BYTES : LOAD_BYTES / 4), fault);
            stage.tryPoll();
            stage.execute("INSERT INTO t (v) SELECT 'more' FROM generate_series(1, 30)");
            if (i == CUTS / 2) late.commit();
        }
        stage.wire().heal();
    }

    private static boolean isPerigee(Stage stage) {
        return stage.follower() instanceof PerigeeFollower;
    }

    private static void require(boolean isSo, String what) {
        if (!isSo) throw new AssertionError(what);
    }
}
