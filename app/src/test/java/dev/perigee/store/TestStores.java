package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteStatement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/// What the store's tests share.
final class TestStores {
    static final Duration LONG = Duration.ofSeconds(30);

    private TestStores() {}

    /// A small table `t (k INTEGER PRIMARY KEY, v)` in an open store.
    static Store open(Path folder) {
        return open(StoreConfig.of(folder));
    }

    static Store open(StoreConfig config) {
        Store store = Store.open(config);
        exec(store, "CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v)");
        return store;
    }

    /// Settings whose WAL is checked and limited at these sizes.
    static StoreConfig wal(Path folder, long checkpointBytes, long walLimitBytes) {
        return new StoreConfig(
                folder, StoreConfig.FILE_NAME, 4, 1024, walLimitBytes, checkpointBytes, 4L << 20, Duration.ZERO);
    }

    static void exec(Store store, String sql) {
        store.write(tx -> {
            tx.connection().exec(sql);
            return null;
        });
    }

    static TransactionWork<Long> insert(long key) {
        return tx -> {
            tx.statement("INSERT INTO t VALUES (?1, 'v')").bindInt(1, key).run();
            return key;
        };
    }

    static void fill(Transaction tx, int bytes) {
        tx.statement("INSERT INTO t (v) VALUES (randomblob(?1))")
                .bindInt(1, bytes)
                .run();
    }

    static long number(Store store, String sql) {
        return store.read(LONG, tx -> number(tx, sql));
    }

    static long number(Transaction tx, String sql) {
        SqliteStatement statement = tx.statement(sql);
        statement.step();
        return statement.intAt(0);
    }

    static long count(Store store) {
        return number(store, "SELECT count(*) FROM t");
    }

    /// A statement that runs until it is interrupted, in a way that SQLite counts as writing.
    static final String ENDLESS_INSERT = """
            INSERT INTO t (v) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
            SELECT x FROM c WHERE x < 0""";

    static final String ENDLESS_SELECT =
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 0";

    /// Keeps the writer busy until the latch is released, so that writes gather behind it.
    static CountDownLatch holdWriter(Store store) {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        store.submit(tx -> {
            entered.countDown();
            await(release);
            return null;
        });
        await(entered);
        return release;
    }

    static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
