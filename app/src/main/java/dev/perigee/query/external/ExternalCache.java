package dev.perigee.query.external;

import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.query.sql.StatementShape;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.StatementCall;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import dev.perigee.store.TransactionWork;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Caches answers of the external database for a limited time in `tmp_cache`. Safe for many threads.
///
/// The key of an answer is made of the source, the caller's role and claims, the statement and all its values. It also
/// has the number of times that replication had changed a copy when the source was asked. So a change of any copy
/// invalidates all answers that were read before it, including those still in progress. It has to be any copy: a
/// statement may read a table through a view or a function. Entries that an earlier server process left are removed at
/// the start.
public final class ExternalCache {
    /// The most answers that are cached at once.
    static final int MAX_ENTRIES = 1000;

    /// The longest answer that is cached, in characters of its [CachedAnswer]. [#MAX_CHARS] is the limit for all
    /// answers together.
    static final int MAX_ANSWER_CHARS = 1 << 20;

    static final long MAX_CHARS = 64L << 20;

    /// Answers that may wait for the writer. More are not cached.
    private static final int MAX_WAITING = 20;

    private static final int MAX_SHOWN_CHARS = 500;
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(ExternalCache.class);

    public static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_cache (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                timestamp REAL NOT NULL,
                ttl INTEGER NOT NULL,
                query TEXT UNIQUE NOT NULL,
                results TEXT
            )""");

    /// A row of `tmp_cache`, without its answer.
    ///
    /// @param query the column `query`, which is the key and the shape of the statement
    /// @param readAt when the source was asked, ms since 1970
    /// @param chars the length of the answer
    private record Entry(String query, long readAt, int chars) {}

    private final Store store;
    private final String place;
    private final Duration lifetime;
    private final InstantSource clock;
    private final Executor later;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean isCleaningDue = new AtomicBoolean();

    /// The rows by key, oldest first. So nothing has to be counted or searched in the table, whose rows may be large.
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private long chars;

    /// @param place where the source is; part of every key
    /// @param lifetime how long an answer is kept
    public ExternalCache(Store store, String place, Duration lifetime, InstantSource clock) {
        this.store = store;
        this.place = place;
        this.lifetime = lifetime;
        this.clock = clock;
        this.later = CompletableFuture.delayedExecutor(
                lifetime.toMillis(), TimeUnit.MILLISECONDS, Thread.ofVirtual().name("perigee-cache")::start);
        store.write(tx -> {
            tx.statement("DELETE FROM tmp_cache").run();
            return true;
        });
    }

    /// The key of this call's answer, from now until a copy changes. To be computed before the source is asked.
    String key(StatementCall call) {
        ArrayNode all = Json.MAPPER.createArrayNode();
        all.add(place).add(store.copyChanges());
        all.add(call.caller().role().name())
                .add(call.caller().subject().orElse(""))
                .add(call.sql());
        all.add(Json.MAPPER.valueToTree(new TreeMap<>(call.caller().claims())).toString());
        ArrayNode positional = all.addArray();
        call.positional().forEach(value -> positional.add(told(value)));
        ObjectNode named = all.addObject();
        new TreeMap<>(call.named()).forEach((name, value) -> named.put(name, told(value)));
        return hash(all.toString());
    }

    /// A value as text, so that values of different storage classes differ.
    private static String told(Value value) {
        return switch (value) {
            case Value.Null _ -> "null";
            case Value.Int(long number) -> "int " + number;
            case Value.Real(double number) -> "real " + number;
            case Value.Text(String text) -> "text " + text;
            case Value.Blob blob ->
                "blob " + StandardCharsets.ISO_8859_1.decode(Base64.getEncoder().encode(blob.bytes()));
        };
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    Optional<CachedAnswer> find(String key) {
        Entry entry;
        synchronized (entries) {
            entry = entries.get(key);
        }
        if (entry == null) return Optional.empty();
        return store.read(LIMIT, tx -> {
            // An entry from the future, written when the clock was ahead, has an unknown age and is not used.
            SqliteStatement select = tx.statement(
                    "SELECT results FROM tmp_cache WHERE query = ?1 AND ?2 BETWEEN timestamp AND timestamp + 1000 * ttl - 1");
            boolean isThere = select.bindText(1, entry.query())
                    .bindReal(2, clock.millis())
                    .step();
            return isThere
                    ? Optional.of(new CachedAnswer(String.valueOf(select.textAt(0))))
                    : Optional.<CachedAnswer>empty();
        });
    }

    long now() {
        return clock.millis();
    }

    /// Caches an answer in the background; nobody waits for it.
    ///
    /// @param readAt when the source was asked for it, ms since 1970
    void keep(String key, StatementCall call, CachedAnswer answer, long readAt) {
        if (waiting.incrementAndGet() > MAX_WAITING) {
            waiting.decrementAndGet();
            return;
        }
        Entry entry = new Entry(key + " " + shown(call), readAt, answer.json().length());
        CompletableFuture<?> _ = submit(tx -> {
                    put(tx, entry, answer);
                    synchronized (entries) {
                        remember(key, entry);
                        removeOld(tx);
                    }
                    return true;
                })
                .whenComplete((_, failure) -> {
                    waiting.decrementAndGet();
                    if (failure != null) LOG.warn("An answer could not be cached", failure);
                    else cleanLater();
                });
    }

    private CompletableFuture<Boolean> submit(TransactionWork<Boolean> work) {
        try {
            return store.submit(work);
        } catch (PerigeeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void put(Transaction tx, Entry entry, CachedAnswer answer) {
        tx.statement("""
                        INSERT INTO tmp_cache (timestamp, ttl, query, results) VALUES (?1, ?2, ?3, ?4)
                        ON CONFLICT (query) DO UPDATE SET timestamp = ?1, ttl = ?2, results = ?4""")
                .bindReal(1, entry.readAt())
                .bindInt(2, lifetime.toSeconds())
                .bindText(3, entry.query())
                .bindText(4, answer.json())
                .run();
    }

    private void remember(String key, Entry entry) {
        Entry before = entries.remove(key);
        if (before != null) chars -= before.chars();
        entries.put(key, entry);
        chars += entry.chars();
    }

    /// Removes entries that are too old, and the oldest ones while there are too many.
    private void removeOld(Transaction tx) {
        long end = clock.millis() - lifetime.toMillis();
        Iterator<Entry> oldest = entries.values().iterator();
        while (oldest.hasNext()) {
            Entry entry = oldest.next();
            boolean isOver = entry.readAt() <= end;
            if (!isOver && entries.size() <= MAX_ENTRIES && chars <= MAX_CHARS) return;
            tx.statement("DELETE FROM tmp_cache WHERE query = ?1")
                    .bindText(1, entry.query())
                    .run();
            chars -= entry.chars();
            oldest.remove();
        }
    }

    /// Schedules the removal of old entries, so that answers nobody asks for again do not stay in the file.
    private void cleanLater() {
        if (!isCleaningDue.compareAndSet(false, true)) return;
        later.execute(this::clean);
    }

    private void clean() {
        CompletableFuture<?> _ = submit(tx -> {
                    synchronized (entries) {
                        removeOld(tx);
                        return !entries.isEmpty();
                    }
                })
                .whenComplete((isMoreLeft, failure) -> {
                    isCleaningDue.set(false);
                    if (failure == null && isMoreLeft) cleanLater(); // On a closed store it fails and ends.
                });
    }

    private static String shown(StatementCall call) {
        String words = StatementShape.of(call.sql());
        return words.length() > MAX_SHOWN_CHARS ? words.substring(0, MAX_SHOWN_CHARS) : words;
    }
}
