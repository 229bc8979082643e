package dev.perigee.query.external;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.Caller;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.Store;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is kept in `tmp_cache`, how much of it, and for how long.
class ExternalCacheTest {
    @TempDir
    Path directory;

    private Store store;
    private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @BeforeEach
    void open() {
        store = Store.open(StoreConfig.of(directory));
        store.migrate("query", ExternalCache.TABLES);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private ExternalCache cache(Duration lifetime, InstantSource clock) {
        return new ExternalCache(store, "here", lifetime, clock);
    }

    private static StatementCall call(String sql, Value... values) {
        return new StatementCall(sql, List.of(values), Map.of(), Where.EXTERNAL, Caller.CLIENT, false);
    }

    private long count(String what) {
        return store.read(Duration.ofSeconds(5), tx -> {
            SqliteStatement count = tx.statement("SELECT " + what + " FROM tmp_cache");
            count.step();
            return count.intAt(0);
        });
    }

    /// Returns when all that was to be kept is.
    private void flush() {
        store.write(_ -> true);
    }

    private void keep(ExternalCache cache, StatementCall call, String json) {
        cache.keep(cache.key(call), call, new CachedAnswer(json), cache.now());
        flush();
    }

    @Test
    void an_answer_that_was_kept_by_a_clock_that_was_ahead_is_not_given() {
        ExternalCache cache = cache(Duration.ofSeconds(60), () -> now);
        now = now.plus(Duration.ofHours(1));
        keep(cache, call("SELECT 1"), "[[]]");
        now = now.minus(Duration.ofHours(1));
        assertThat(cache.find(cache.key(call("SELECT 1")))).isEmpty();
    }

    @Test
    void the_oldest_go_when_there_are_too_many() {
        ExternalCache cache = cache(Duration.ofSeconds(60), () -> now);
        for (int i = 0; i < ExternalCache.MAX_ENTRIES + 10; i++) keep(cache, call("SELECT " + i), "[[]]");
        assertThat(count("count(*)")).isEqualTo(ExternalCache.MAX_ENTRIES);
        assertThat(cache.find(cache.key(call("SELECT 9")))).isEmpty();
        assertThat(cache.find(cache.key(call("SELECT 10")))).isPresent();
    }

    @Test
    void the_oldest_go_when_they_are_too_large_together() {
        ExternalCache cache = cache(Duration.ofSeconds(60), () -> now);
        String large = "x".repeat(ExternalCache.MAX_ANSWER_CHARS);
        for (int i = 0; i < 67; i++) keep(cache, call("SELECT " + i), large);
        assertThat(count("sum(length(results))")).isEqualTo(ExternalCache.MAX_CHARS);
        assertThat(cache.find(cache.key(call("SELECT 2")))).isEmpty();
        assertThat(cache.find(cache.key(call("SELECT 3")))).isPresent();
        // The same again takes the place it has.
        for (int i = 0; i < 3; i++) keep(cache, call("SELECT 66"), large);
        assertThat(cache.find(cache.key(call("SELECT 3")))).isPresent();
    }

    @Test
    void what_is_too_old_is_not_found_and_leaves_the_file_though_nobody_asks() throws Exception {
        ExternalCache cache = cache(Duration.ofSeconds(1), InstantSource.system());
        keep(cache, call("SELECT 1"), "[[]]");
        keep(cache, call("SELECT 2"), "[[]]");
        assertThat(count("count(*)")).isEqualTo(2);
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (count("count(*)") > 0) {
            assertThat(System.nanoTime()).isLessThan(end);
            Thread.sleep(20);
        }
        ExternalCache still = cache(Duration.ofSeconds(60), () -> now);
        keep(still, call("SELECT 1"), "[[]]");
        now = now.plusSeconds(59);
        assertThat(still.find(still.key(call("SELECT 1")))).isPresent();
        now = now.plusSeconds(1);
        assertThat(still.find(still.key(call("SELECT 1")))).isEmpty();
    }

    @Test
    void a_change_of_a_copy_makes_old_what_is_kept_and_what_is_on_its_way() {
        ExternalCache cache = cache(Duration.ofSeconds(60), () -> now);
        StatementCall call = call("SELECT 1");
        String onItsWay = cache.key(call);
        keep(cache, call, "[[]]");
        assertThat(cache.find(cache.key(call))).isPresent();
        store.write(tx -> {
            tx.copyChanged();
            return true;
        });
        assertThat(cache.find(cache.key(call))).isEmpty();
        cache.keep(onItsWay, call, new CachedAnswer("[[]]"), cache.now());
        flush();
        assertThat(cache.find(cache.key(call))).isEmpty();
    }

    @Test
    void values_of_different_kinds_are_different_and_nothing_stays_of_the_server_before() {
        ExternalCache cache = cache(Duration.ofSeconds(60), () -> now);
        assertThat(List.of(
                        cache.key(call("s", new Value.Int(1))),
                        cache.key(call("s", new Value.Text("1"))),
                        cache.key(call("s", new Value.Real(1))),
                        cache.key(call("s", Value.Null.NULL)),
                        cache.key(call("s", new Value.Text("null"))),
                        cache.key(call("s", new Value.Text("int 1"))),
                        cache.key(call("s", new Value.Blob(ByteBuffer.wrap(new byte[] {1})))),
                        cache.key(call("s", new Value.Int(1), new Value.Int(2))),
                        cache.key(call("s"))))
                .doesNotHaveDuplicates();
        keep(cache, call("SELECT 'secret'", new Value.Text("value")), "[[]]");
        assertThat(count("sum(query LIKE '%secret%' OR query LIKE '%value%')")).isZero();
        cache(Duration.ofSeconds(60), () -> now);
        assertThat(count("count(*)")).isZero();
    }

    @Test
    void an_answer_is_replayed_value_for_value() {
        List<Value> row = List.of(
                new Value.Int(Long.MIN_VALUE),
                new Value.Real(1.0),
                new Value.Real(Double.NEGATIVE_INFINITY),
                new Value.Real(-0.0),
                new Value.Text("{\"real\":\"é\u2028\uD83D\uDE00\"}"),
                new Value.Blob(ByteBuffer.wrap(new byte[] {0, -1})),
                Value.Null.NULL);
        List<String> names = List.of("a", "a", "", "\"", "e", "f", "g");
        try (MemoryBudget.Reservation memory = new MemoryBudget(1 << 20).reserve("test")) {
            CachedAnswer.Builder builder = new CachedAnswer.Builder(memory, 100_000);
            builder.columns(names);
            assertThat(builder.row(row)).isTrue();
            assertThat(builder.row(row)).isTrue();
            List<Object> seen = new ArrayList<>();
            long rows = builder.answer().replay(new RowSink() {
                @Override
                public void columns(List<String> columns) {
                    seen.add(columns);
                }

                @Override
                public boolean row(List<Value> cells) {
                    return seen.add(cells);
                }
            });
            assertThat(rows).isEqualTo(2);
            assertThat(seen).containsExactly(names, row, row);
        }
    }

    @Test
    void an_answer_without_columns_is_too_large_as_any_other() {
        try (MemoryBudget.Reservation memory = new MemoryBudget(1 << 20).reserve("test")) {
            CachedAnswer.Builder builder = new CachedAnswer.Builder(memory, 100_000);
            builder.columns(List.of());
            int rows = 0;
            while (builder.row(List.of()) && rows < 200_000) rows++;
            assertThat(rows).isLessThan(100_000);
            assertThat(builder.isTooLarge()).isTrue();
        }
    }
}
