package dev.perigee.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderServerTest {
    @TempDir
    Path folder;

    @Test
    void a_standby_is_made_of_a_primary_that_keeps_running_and_is_written_to() throws Exception {
        CountDownLatch isWritten = new CountDownLatch(100);
        try (FolderServer primary = FolderServer.start(folder.resolve("primary"), Map.of());
                ExecutorService threads = Executors.newSingleThreadExecutor();
                Connection connection = primary.connect();
                Statement write = connection.createStatement()) {
            primary.execute("CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)");
            Future<Integer> writer = threads.submit(() -> {
                int rows = 0;
                while (!Thread.currentThread().isInterrupted()) {
                    write.execute("INSERT INTO t VALUES (%d, repeat('v', 2000))".formatted(rows++));
                    // Tables that come and go, so that files of the list are gone when they are to be copied.
                    write.execute("CREATE TABLE brief (a int); DROP TABLE brief");
                    isWritten.countDown();
                }
                return rows;
            });
            assertThat(isWritten.await(1, TimeUnit.MINUTES)).isTrue();
            try (FolderServer standby = primary.standby(folder.resolve("standby"))) {
                threads.shutdownNow();
                int written = writer.get();
                assertThat(primary.value("SELECT count(*) FROM t")).isEqualTo(String.valueOf(written));
                String position = primary.value("SELECT pg_current_wal_flush_lsn()");
                await().timeout(Duration.ofSeconds(60))
                        .until(() -> standby.value("SELECT pg_last_wal_replay_lsn() >= '%s'".formatted(position))
                                .equals("t"));
                assertThat(standby.value("SELECT pg_is_in_recovery()")).isEqualTo("t");
                assertThat(standby.value("SELECT count(*) || ' ' || sum(length(v)) FROM t"))
                        .isEqualTo("%d %d".formatted(written, 2000L * written));
            }
        }
    }
}
