package dev.perigee.hazards;

import dev.perigee.testing.TcpProxy.Fault;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/// Writers, polls, faults and restarts at random, all by one seed: transactions that stay open over polls, savepoints,
/// roll-backs, key changes and deletes, while the network and the follower fail.
///
/// A writer changes only rows whose key is its own, so that none waits for another.
public final class History {
    static final String NAME = "random_history";
    private static final int WRITERS = 4;
    private static final int FIRST_ROWS = 120;

    private static final String SCHEMA = """
            CREATE TABLE numbered (id bigserial PRIMARY KEY, c bigserial, v text NOT NULL);
            CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN NEW.c := nextval('numbered_c_seq'); RETURN NEW; END $$;
            CREATE TRIGGER number BEFORE UPDATE ON numbered FOR EACH ROW EXECUTE FUNCTION number();
            CREATE TABLE timed (id bigserial PRIMARY KEY, c timestamptz NOT NULL DEFAULT now(), v text NOT NULL);
            CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN NEW.c := CASE WHEN random() < 0.5 THEN now() ELSE clock_timestamp() END; RETURN NEW; END $$;
            CREATE TRIGGER stamp BEFORE UPDATE ON timed FOR EACH ROW EXECUTE FUNCTION stamp();
            CREATE TABLE leaving (LIKE timed INCLUDING ALL);
            CREATE TRIGGER stamp BEFORE UPDATE ON leaving FOR EACH ROW EXECUTE FUNCTION stamp();
            """;

    private final Stage stage;
    private final Random random;
    private final List<Session> writers = new ArrayList<>();
    private final int[] savepoints = new int[WRITERS];
    private CompletableFuture<Optional<String>> polling = CompletableFuture.completedFuture(Optional.empty());
    private int version;

    private History(Stage stage) {
        this.stage = stage;
        this.random = stage.random();
    }

    /// A history whose tables nothing is deleted from but one.
    ///
    /// @param steps writes, polls and faults in it
    public static Hazard of(int steps) {
        return new Hazard(
                NAME,
                SCHEMA,
                List.of(
                        new Hazard.Table("numbered", "c", "id"),
                        new Hazard.Table("timed", "c", "id"),
                        new Hazard.Table("leaving", "c", "id")),
                Set.of(Hazard.Trait.DELETES),
                stage -> new History(stage).play(steps));
    }

    private void play(int steps) throws Exception {
        for (int i = 0; i < WRITERS; i++) writers.add(stage.session());
        for (String table : List.of("numbered", "timed", "leaving")) {
            stage.execute("INSERT INTO %s (v) SELECT 'first' FROM generate_series(1, %d)".formatted(table, FIRST_ROWS));
        }
        for (int step = 0; step < steps; step++) {
            int what = random.nextInt(100);
            if (what < 70) write(random.nextInt(WRITERS));
            else if (what < 82) poll();
            else if (what < 90) startPoll();
            else if (what < 95) cut();
            else if (what < 97) restart();
            else if (what < 98) stage.pastGuard();
            else stage.clock().step(java.time.Duration.ofMinutes(random.nextInt(-600, 600)));
        }
        polling.join();
        stage.wire().heal();
        for (int i = 0; i < WRITERS; i++) {
            if (random.nextBoolean()) writers.get(i).commit();
            else writers.get(i).rollback();
        }
    }

    private void write(int writer) throws SQLException {
        Session session = writers.get(writer);
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> insert(session);
            case 3, 4, 5 ->
                session.run("UPDATE %s SET v = '%s' WHERE id %% %d = %d AND id %% 16 = %d"
                        .formatted(table(), next(), WRITERS, writer, random.nextInt(16)));
            case 6 ->
                session.run("DELETE FROM leaving WHERE id %% %d = %d AND id %% 32 = %d"
                        .formatted(WRITERS, writer, random.nextInt(32)));
            case 7 ->
                session.run(
                        "UPDATE leaving SET id = id + %d, v = '%s' WHERE id = (SELECT min(id) FROM leaving WHERE id %% %d = %d)"
                                .formatted(1_000_000L * (version + 1), next(), WRITERS, writer));
            case 8 -> session.run("SAVEPOINT s" + ++savepoints[writer]);
            case 9 -> {
                if (savepoints[writer] > 0) session.run("ROLLBACK TO s" + savepoints[writer]--);
            }
            default -> {
                savepoints[writer] = 0;
                if (random.nextInt(5) == 0) session.rollback();
                else session.commit();
            }
        }
    }

    private void insert(Session session) throws SQLException {
        String rows = "INSERT INTO %s (v) SELECT '%s' FROM generate_series(1, %d)"
                .formatted(table(), next(), 1 + random.nextInt(random.nextInt(8) == 0 ? 150 : 4));
        session.run(rows);
    }

    private String table() {
        return List.of("numbered", "timed", "leaving").get(random.nextInt(3));
    }

    private String next() {
        return "version " + ++version;
    }

    private void poll() throws Exception {
        polling.join();
        stage.tryPoll();
        stage.wire().heal();
    }

    /// Writes go on meanwhile.
    private void startPoll() {
        polling.join();
        polling = stage.startWatchedPoll();
    }

    private void cut() {
        polling.join();
        stage.wire().failAfter(random.nextInt(40_000), random.nextBoolean() ? Fault.CLOSE : Fault.RESET);
    }

    private void restart() throws Exception {
        polling.join();
        stage.follower().restart();
    }
}
