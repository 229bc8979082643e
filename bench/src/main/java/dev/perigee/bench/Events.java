package dev.perigee.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/// Rows of the eight-column `events` table that every load figure is about, made by arithmetic: the same each time.
final class Events {
    static final String CREATE = """
            CREATE TABLE events(
              id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, kind TEXT NOT NULL, amount DECIMAL(12,2) NOT NULL,
              payload TEXT NOT NULL, flag BOOLEAN NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)""";
    static final String INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    static final String PRAGMAS = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";

    private static final String[] KINDS = {
        "page_view ", "checkout__", "login_okay", "logout____", "add_cart__", "rm_cart___", "search____", "refund____"
    };
    private static final Instant CREATED = Instant.parse("2024-01-01T00:00:00.123456Z");
    private static final Instant UPDATED = Instant.parse("2025-01-01T00:00:00.654321Z");

    /// One row as Java values, the way a JDBC program has it.
    record Row(
            long id,
            int accountId,
            String kind,
            double amount,
            String payload,
            boolean flag,
            String createdAt,
            String updatedAt) {}

    private Events() {}

    static Row[] rows(int count) {
        Row[] rows = new Row[count];
        for (int i = 0; i < count; i++) rows[i] = row(i + 1);
        return rows;
    }

    private static Row row(long id) {
        String agent = "%016x%08x".formatted(id * 0x9E3779B97F4A7C15L, (int) (id * 0x85EBCA6BL));
        String payload = "{\"n\": %d, \"ip\": \"10.%d.%d.7\", \"ua\": \"%s\", \"tags\": [\"a\", \"b%d\"]}"
                .formatted(id % 1000, id % 256, id / 256 % 256, agent, id % 10);
        return new Row(
                id,
                (int) (id * 7919 % 100_000),
                KINDS[(int) (1 + id * 31) % 8],
                id * 104_729 % 100_000_000 / 100.0,
                payload,
                id % 3 == 0,
                CREATED.plusNanos(id * 1_234_567_000L).toString(),
                UPDATED.plusNanos(id * 765_432_000L).toString());
    }

    /// The same rows off the heap, the way Perigee's batches have them: fixed-size values in place, text as UTF-8 in
    /// one run of bytes with its length before it.
    static MemorySegment packed(Row[] rows, Arena arena) {
        long size = 0;
        for (Row row : rows) size += packedSize(row);
        MemorySegment packed = arena.allocate(size);
        long at = 0;
        for (Row row : rows) at = pack(row, packed, at);
        return packed;
    }

    private static long packedSize(Row row) {
        long size = 8 + 4 + 8 + 4;
        for (String text : texts(row)) size += 4 + text.getBytes(StandardCharsets.UTF_8).length;
        return size;
    }

    private static long pack(Row row, MemorySegment target, long from) {
        long at = from;
        target.set(InsertBench.LONG, at, row.id());
        target.set(InsertBench.INT, at + 8, row.accountId());
        target.set(InsertBench.DOUBLE, at + 12, row.amount());
        target.set(InsertBench.INT, at + 20, row.flag() ? 1 : 0);
        at += 24;
        for (String text : texts(row)) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            target.set(InsertBench.INT, at, bytes.length);
            MemorySegment.copy(bytes, 0, target, JAVA_BYTE, at + 4, bytes.length);
            at += 4 + bytes.length;
        }
        return at;
    }

    private static String[] texts(Row row) {
        return new String[] {row.kind(), row.payload(), row.createdAt(), row.updatedAt()};
    }
}
