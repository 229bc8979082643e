package dev.perigee.query;

import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.StatementCall;
import dev.perigee.source.RowSink;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers of the external database that are kept for a while in `tmp_cache`. Safe for many threads.
///
/// An answer is known by its source, its caller's role and claims, its statement and all of its values.
/// One is old when its
/// time is over, or when replication has changed any copy since it was read: a statement may read a table
/// by way of a
/// view or a function, so whichever table changed may be in it.
final class ExternalCache {
    /// Answers that are kept.
    static final int MAX_ENTRIES = 1000;

    /// Longest answer that is kept, as JSON, and of all of them together.
    static final int MAX_ANSWER_BYTES = 1 << 20;

    static final long MAX_BYTES = 64L << 20;

    /// Answers that wait for the writer; more are not kept.
    private static final int MAX_WAITING = 20;

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(ExternalCache.class);

    static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_cache (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                timestamp REAL NOT NULL,
                ttl INTEGER NOT NULL,
                query TEXT UNIQUE NOT NULL,
                results TEXT
            )""");

    /// @param columns in order
    record Answer(List<String> columns, List<List<Value>> rows) {
        /// Keeps rows as they come, so long as they are few.
        static final class Builder implements RowSink {
            private List<String> columns = List.of();
            private final List<List<Value>> rows = new ArrayList<>();
            private long bytes;

            @Override
            public void columns(List<String> names) {
                columns = names;
            }

            @Override
            public boolean row(List<Value> cells) {
                for (Value cell : cells) {
                    bytes += switch (cell) {
                        case Value.Text(String text) -> text.length() + 4L;
                        case Value.Blob blob -> blob.bytes().remaining() * 2L;
                        default -> 16;
                    };
                }
                rows.add(cells);
                return bytes <= MAX_ANSWER_BYTES;
            }

            /// Empty for an answer that is too large to be kept.
            Optional<Answer> answer() {
                return bytes > MAX_ANSWER_BYTES ? Optional.empty() : Optional.of(new Answer(columns, rows));
            }
        }
    }

    private final Store store;
    private final String place;
    private final Duration lifetime;
    private final InstantSource clock;
    private final AtomicInteger waiting = new AtomicInteger();

    /// @param place where the source is
    /// @param lifetime how long an answer is kept
    ExternalCache(Store store, String place, Duration lifetime, InstantSource clock) {
        this.store = store;
        this.place = place;
        this.lifetime = lifetime;
        this.clock = clock;
    }

    /// What the answer of this call is known by: the statement's words without values, and a hash of all
    /// there is to it.
    String key(StatementCall call) {
        ArrayNode all = Json.MAPPER.createArrayNode();
        all.add(place).add(call.caller().role().name()).add(call.sql());
        all.add(Json.MAPPER.valueToTree(new TreeMap<>(call.caller().claims())).toString());
        ArrayNode positional = all.addArray();
        call.positional().forEach(value -> positional.add(json(value)));
        ObjectNode named = all.addObject();
        new TreeMap<>(call.named()).forEach((name, value) -> named.set(name, json(value)));
        return hash(all.toString());
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    Optional<Answer> find(String key) {
        return store.read(LIMIT, tx -> {
            SqliteStatement select = tx.statement("""
                            SELECT results, timestamp FROM tmp_cache
                            WHERE query >= ?1 AND query < ?1 || '!' AND timestamp + 1000 * ttl > ?2""").bindText(1, key).bindReal(2, clock.millis());
            if (!select.step()) return Optional.<Answer>empty();
            String results = String.valueOf(select.textAt(0));
            double readAt = select.realAt(1);
            select.reset();
            SqliteStatement table = tx.statement("SELECT 1 FROM sqlite_schema WHERE name = 'tmp_replication_runs'");
            boolean isReplicated = table.step();
            table.reset();
            if (isReplicated) {
                SqliteStatement changed = tx.statement("""
                                SELECT 1 FROM tmp_replication_runs
                                WHERE coalesce(finished_at, ?1) >= ?1 AND inserted + updated + deleted > 0 LIMIT 1""").bindReal(1, readAt);
                boolean isOld = changed.step();
                changed.reset();
                if (isOld) return Optional.empty();
            }
            return Optional.of(answer(Json.MAPPER.readTree(results)));
        });
    }

    long now() {
        return clock.millis();
    }

    /// Keeps an answer, later; nobody waits for it.
    ///
    /// @param readAt when the source was asked for it, ms since 1970
    void keep(String key, StatementCall call, Answer answer, long readAt) {
        if (waiting.incrementAndGet() > MAX_WAITING) {
            waiting.decrementAndGet();
            return;
        }
        double now = clock.millis();
        String text = json(answer).toString();
        try {
            CompletableFuture<?> _ = store.submit(tx -> {
                        tx.statement("DELETE FROM tmp_cache WHERE timestamp + 1000 * ttl <= ?1")
                                .bindReal(1, now)
                                .run();
                        tx.statement("""
                                        INSERT INTO tmp_cache (timestamp, ttl, query, results) VALUES (?1, ?2, ?3, ?4)
                                        ON CONFLICT (query) DO UPDATE SET timestamp = ?1, ttl = ?2, results = ?4""")
                                .bindReal(1, readAt)
                                .bindInt(2, lifetime.toSeconds())
                                .bindText(3, key + " " + shown(call))
                                .bindText(4, text)
                                .run();
                        tx.statement("""
                                        DELETE FROM tmp_cache WHERE id IN (SELECT id FROM (
                                            SELECT id, row_number() OVER newest AS n, sum(length(results)) OVER newest AS bytes
                                            FROM tmp_cache WINDOW newest AS (ORDER BY timestamp DESC, id DESC))
                                        WHERE n > ?1 OR bytes > ?2)""")
                                .bindInt(1, MAX_ENTRIES)
                                .bindInt(2, MAX_BYTES)
                                .run();
                        return true;
                    })
                    .whenComplete((_, failure) -> {
                        waiting.decrementAndGet();
                        if (failure != null) LOG.warn("An answer was not kept", failure);
                    });
        } catch (PerigeeException e) {
            waiting.decrementAndGet();
            LOG.warn("An answer was not kept", e);
        }
    }

    private static String shown(StatementCall call) {
        String words = Allowlist.words(call.sql());
        return words.length() > 500 ? words.substring(0, 500) : words;
    }

    private static JsonNode json(Answer answer) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        ArrayNode columns = node.putArray("columns");
        answer.columns().forEach(columns::add);
        ArrayNode rows = node.putArray("rows");
        for (List<Value> row : answer.rows()) {
            ArrayNode cells = rows.addArray();
            row.forEach(cell -> cells.add(json(cell)));
        }
        return node;
    }

    private static Answer answer(JsonNode node) {
        List<String> columns = new ArrayList<>();
        node.get("columns").forEach(name -> columns.add(name.asString()));
        List<List<Value>> rows = new ArrayList<>();
        for (JsonNode row : node.get("rows")) {
            List<Value> cells = new ArrayList<>(row.size());
            row.forEach(cell -> cells.add(value(cell)));
            rows.add(cells);
        }
        return new Answer(columns, rows);
    }

    /// Each kind of value told from the others: JSON alone would take a real for an integer.
    private static JsonNode json(Value value) {
        return switch (value) {
            case Value.Null _ -> Json.MAPPER.nullNode();
            case Value.Int(long number) -> Json.MAPPER.valueToTree(number);
            case Value.Real(double number) -> Json.MAPPER.valueToTree(Map.of("real", Double.toString(number)));
            case Value.Text(String text) -> Json.MAPPER.valueToTree(text);
            case Value.Blob blob -> {
                ByteBuffer view = blob.bytes();
                byte[] bytes = new byte[view.remaining()];
                view.get(bytes);
                yield Json.MAPPER.valueToTree(Map.of("blob", Base64.getEncoder().encodeToString(bytes)));
            }
        };
    }

    private static Value value(JsonNode node) {
        if (node.isNull()) return Value.Null.NULL;
        if (node.isIntegralNumber()) return new Value.Int(node.asLong());
        if (node.isString()) return new Value.Text(node.asString());
        if (node.has("real"))
            return new Value.Real(Double.parseDouble(node.get("real").asString()));
        return new Value.Blob(
                ByteBuffer.wrap(Base64.getDecoder().decode(node.get("blob").asString())));
    }
}
