package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// The child of [CrashTest]: writes pairs of rows from several threads, says `ACK key` after each commit, and stops
/// only by being killed. Small checkpoints, so that some kills meet one.
final class WriteForever {
    private WriteForever() {}

    public static void main(String[] args) {
        StoreConfig config = new StoreConfig(
                Path.of(args[0]), StoreConfig.FILE_NAME, 2, 64, 4 << 20, 256 << 10, 4 << 20, Duration.ofSeconds(10));
        Store store = TestStores.open(config);
        AtomicLong keys = new AtomicLong(Long.parseLong(args[1]));
        for (int thread = 0; thread < 3; thread++) {
            Thread.ofPlatform().start(() -> {
                while (true) {
                    long key = keys.incrementAndGet();
                    store.write(tx -> {
                        pair(tx, key);
                        return null;
                    });
                    synchronized (keys) {
                        System.out.println("ACK " + key);
                    }
                }
            });
        }
    }

    private static void pair(Transaction tx, long key) {
        for (long k : new long[] {key, -key}) {
            tx.statement("INSERT INTO t VALUES (?1, randomblob(500))")
                    .bindInt(1, k)
                    .run();
        }
    }
}
