package dev.perigee.worker;

import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.config.WorkerConfig;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Workers are killed at random while clients read and write under row-level security.
class WorkerKillTest {
    private static final int KILLS = 12;
    private static final int CLIENTS = 4;

    @TempDir
    Path directory;

    @Test
    void no_row_is_wrong_and_no_write_that_was_answered_is_lost() throws Exception {
        QueryConfig queries =
                QueryConfig.defaults().withRowLevelSecurity(true).withWorkers(new WorkerConfig(3, 128L << 20, false));
        long seed = 20261130;
        try (ServedStore served = new ServedStore(directory, Setup.standard().query(queries))) {
            served.query("CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, body TEXT)");
            served.query("INSERT INTO notes VALUES (-1, 'other', 'hidden'), (-2, 'other', 'hidden')");
            for (String action : List.of("SELECT", "INSERT")) {
                served.query("INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value)"
                        + " VALUES ('%s', 'notes', 'owner', 'mine')".formatted(action));
            }
            assertThat(served.run(CLIENT, "INSERT INTO notes VALUES (0, 'mine', 'body of 0')")
                            .statusCode())
                    .isEqualTo(200);
            Set<Long> acknowledged = new ConcurrentSkipListSet<>();
            List<String> wrong = new CopyOnWriteArrayList<>();
            AtomicLong nextId = new AtomicLong();
            AtomicInteger reads = new AtomicInteger();
            AtomicInteger failures = new AtomicInteger();
            AtomicBoolean isOver = new AtomicBoolean();
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(Thread.ofPlatform().start(() -> {
                    while (!isOver.get()) {
                        long id = nextId.incrementAndGet();
                        HttpResponse<String> written = served.run(
                                CLIENT, "INSERT INTO notes VALUES (%d, 'mine', 'body of %d')".formatted(id, id));
                        if (written.statusCode() == 200) acknowledged.add(id);
                        else if (Set.of(500, 503, 504).contains(written.statusCode())) failures.incrementAndGet();
                        else wrong.add(written.body());
                        HttpResponse<String> read =
                                served.run(CLIENT, "SELECT id, owner, body FROM notes ORDER BY id DESC LIMIT 20");
                        if (read.statusCode() == 200) check(ServedStore.json(read), reads, wrong);
                        else if (Set.of(500, 503, 504).contains(read.statusCode())) failures.incrementAndGet();
                        else wrong.add(read.body());
                    }
                }));
            }
            Random random = new Random(seed);
            for (int killed = 0; killed < KILLS; ) {
                // As many answers as chance wants between two kills, however fast the machine is.
                int until = acknowledged.size() + 1 + random.nextInt(40);
                long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
                while (acknowledged.size() < until && System.nanoTime() < end) Thread.sleep(1);
                List<Long> pids = served.workers().pids();
                if (pids.isEmpty()) continue;
                ProcessHandle.of(pids.get(random.nextInt(pids.size()))).ifPresent(ProcessHandle::destroyForcibly);
                killed++;
            }
            isOver.set(true);
            for (Thread client : clients) client.join();

            System.out.printf(
                    "%d writes and %d reads answered, %d failed%n", acknowledged.size(), reads.get(), failures.get());
            assertThat(wrong).as("seed %d", seed).isEmpty();
            assertThat(reads.get()).isPositive();
            Set<Long> there = new TreeSet<>();
            served.query("SELECT id FROM notes WHERE owner = 'mine'")
                    .get("result")
                    .forEach(row -> there.add(row.get("id").asLong()));
            assertThat(there).containsAll(acknowledged);
            assertThat(served.query("PRAGMA integrity_check"))
                    .hasToString("{\"result\":[{\"integrity_check\":\"ok\"}]}");
        }
    }

    private static void check(JsonNode answer, AtomicInteger reads, List<String> wrong) {
        reads.incrementAndGet();
        for (JsonNode row : answer.get("result")) {
            boolean isRight = row.get("owner").asString().equals("mine")
                    && row.get("body")
                            .asString()
                            .equals("body of " + row.get("id").asLong());
            if (!isRight) wrong.add(row.toString());
        }
    }
}
