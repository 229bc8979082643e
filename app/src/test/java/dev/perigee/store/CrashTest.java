package dev.perigee.store;

import static dev.perigee.store.TestStores.LONG;
import static dev.perigee.store.TestStores.number;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrashTest {
    private static final int KILLS = 5;

    @TempDir
    Path folder;

    @Test
    void kill_9_in_the_middle_of_writes_loses_nothing_acknowledged_and_halves_nothing() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Set<Long> acknowledged = new HashSet<>();
        for (int kill = 1; kill <= KILLS; kill++) {
            try (ChildJvm child = new ChildJvm(WriteForever.class, folder.toString(), kill + "000000")) {
                int killAfter = 1 + random.nextInt(1000);
                for (int i = 0; i < killAfter; i++) acknowledged.add(Long.parseLong(child.next("ACK")));
                child.kill();
                // What it said before it died counts too.
                for (String more = child.next("ACK"); isWhole(more); more = child.next("ACK")) {
                    acknowledged.add(Long.parseLong(more));
                }
            }
            try (Store store = TestStores.open(folder)) {
                assertThat(store.integrityCheck(LONG)).isEmpty();
                assertThat(number(
                                store,
                                "SELECT count(*) FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b WHERE b.k = -a.k)"))
                        .isZero();
                Set<Long> present = store.read(LONG, tx -> {
                    Set<Long> keys = new HashSet<>();
                    var select = tx.statement("SELECT k FROM t WHERE k > 0");
                    while (select.step()) keys.add(select.intAt(0));
                    return keys;
                });
                assertThat(present).as("seed %d, kill %d", seed, kill).containsAll(acknowledged);
            }
        }
    }

    /// A line that the kill cut off is shorter than its key.
    private static boolean isWhole(String key) {
        return key != null && key.length() == 7;
    }
}
