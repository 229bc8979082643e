package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.FreshnessGate;
import dev.perigee.plugin.FreshnessGate.Asked;
import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.FreshnessDemand.IfStale;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/// Compares the copies that a query's statements read with what the query demands of them.
///
/// A query is tried first: SQLite's compiler says which copies its statements read. If one of them is not fresh enough,
/// the try fails before any row was sent, with nothing written ([#isHeld]). Then the query waits on its own thread, not
/// on SQLite's, and is tried again. Used by one query at a time; the tries may be on different threads.
final class FreshnessCheck {
    /// How often a query is tried that meets a schema which changes all the time.
    private static final int MAX_SCHEMA_CHANGES = 10;

    private final FreshnessGate gate;
    private final FreshnessDemand demand;
    private final Asked asked;
    private final AnswerEvents events;
    private volatile long mark;
    private volatile Set<String> copies = Set.of();
    private volatile boolean isHeld;
    private int schemaChanges;

    /// @param events is told how fresh the answer is
    FreshnessCheck(FreshnessGate gate, FreshnessDemand demand, AnswerEvents events) {
        this.gate = gate;
        this.demand = demand;
        this.asked = new Asked(demand, System.nanoTime());
        this.events = events;
    }

    /// Whether copies may be too old for the query.
    boolean isAsking() {
        return demand.isAny() && demand.ifStale() != IfStale.SERVE;
    }

    /// To be called before each try, when no transaction has begun for it.
    void begin() {
        mark = gate.now();
        copies = Set.of();
        isHeld = false;
    }

    /// To be called before the rows of statements are sent.
    ///
    /// @param read the copies that the statements read
    /// @throws PerigeeException [Fault#STALE] if they are not fresh enough
    void reads(Set<String> read) {
        if (copies.isEmpty()) {
            copies = read;
        } else if (!copies.containsAll(read)) {
            Set<String> all = new HashSet<>(copies);
            all.addAll(read);
            copies = all;
        }
        if (!isAsking() || gate.meets(asked, copies, mark)) return;
        isHeld = true;
        throw Fault.STALE.saying("A copy is not fresh enough.");
    }

    /// Tells how fresh the answer is. To be called before its first row is sent.
    void tell() {
        if (!copies.isEmpty()) gate.of(copies, mark).ifPresent(events::fresh);
    }

    /// Whether a try failed only because a copy is not fresh enough, or because the schema changed meanwhile.
    boolean isHeld(PerigeeException failure) {
        if (failure.fault() != Fault.STALE) return false;
        return isHeld || ++schemaChanges <= MAX_SCHEMA_CHANGES;
    }

    /// Does what the query wants when a copy is not fresh enough. May wait.
    ///
    /// @param readLimit the longest wait if the query does not say
    /// @return whether it has to be tried again; false if it has to run at the external database
    /// @throws PerigeeException [Fault#STALE] if the copies do not become fresh enough
    boolean retries(Duration readLimit, Cancellation cancellation) {
        cancellation.check();
        if (!isHeld) return true;
        switch (demand.ifStale()) {
            case SOURCE -> {
                return false;
            }
            case FAIL -> gate.refuse(asked, copies);
            case WAIT, SERVE -> gate.await(asked, copies, demand.patience().orElse(readLimit), cancellation);
        }
        return true;
    }
}
