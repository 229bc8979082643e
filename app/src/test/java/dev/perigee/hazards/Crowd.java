package dev.perigee.hazards;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/// Writers that write and commit as they like, while it is polled as fast as it goes.
final class Crowd {
    private static final int WRITERS = 6;
    private static final int TRANSACTIONS = 40;

    private Crowd() {}

    static void play(Stage stage) throws Exception {
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            Session session = stage.session();
            long seed = stage.random().nextLong();
            String name = "writer " + i;
            writers.add(CompletableFuture.runAsync(
                    () -> Quietly.run(() -> write(session, name, new Random(seed))),
                    task -> Thread.ofVirtual().start(task)));
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new));
        while (!all.isDone()) stage.poll();
        all.join();
    }

    private static Session write(Session session, String name, Random random) throws Exception {
        for (int i = 0; i < TRANSACTIONS; i++) {
            int statements = 1 + random.nextInt(4);
            for (int n = 0; n < statements; n++) {
                session.run("INSERT INTO t (v) VALUES ('%s, %d, %d')".formatted(name, i, n));
                if (random.nextInt(4) == 0) session.run("SELECT pg_sleep(0.01)");
            }
            if (random.nextInt(5) == 0) session.rollback();
            else session.commit();
        }
        return session;
    }
}
