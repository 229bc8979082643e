package dev.perigee.alarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.StoreConfig;
import dev.perigee.store.ChildJvm;
import dev.perigee.store.Store;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlarmCrashTest {
    @TempDir
    Path folder;

    private final ManualClock clock = new ManualClock();

    @Test
    void an_alarm_whose_run_a_crash_cut_short_fires_again_as_the_next_attempt() throws Exception {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            new Alarms(store, clock).set("a", clock.instant());
        }
        for (int attempt = 0; attempt < 2; attempt++) {
            try (ChildJvm child = new ChildJvm(DieInHandler.class, folder.toString())) {
                assertThat(child.next("ATTEMPT")).isEqualTo(String.valueOf(attempt));
                assertThat(child.waitFor()).isEqualTo(9);
            }
        }
        assertThat(attemptsWithWorkingHandler()).containsExactly(2);
    }

    @Test
    void an_alarm_that_took_the_process_down_seven_times_is_given_up() {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            new Alarms(store, clock).set("a", clock.instant());
            store.write(tx -> {
                tx.statement("UPDATE tmp_alarms SET begun = 7").run();
                return null;
            });
        }
        assertThat(attemptsWithWorkingHandler()).isEmpty();
    }

    private List<Integer> attemptsWithWorkingHandler() {
        List<Integer> attempts = new CopyOnWriteArrayList<>();
        clock.advance(java.time.Duration.ofHours(1));
        try (Store store = Store.open(StoreConfig.of(folder));
                Alarms alarms = new Alarms(store, clock)) {
            alarms.handler("a", attempts::add);
            alarms.start();
            await().until(() -> store.<Long>write(tx -> {
                        var count = tx.statement("SELECT count(*) FROM tmp_alarms");
                        count.step();
                        return count.intAt(0);
                    })
                    == 0);
        }
        return attempts;
    }
}
