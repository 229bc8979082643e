package dev.perigee.source;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What a source knew, just before a snapshot, about transactions that were open then and may still commit.
public interface Horizon {
    /// How many of its open transactions the source shows.
    enum Sight {
        /// The source shows every open transaction: one that it does not show has ended.
        ALL,
        /// The source shows only some of them. For the others, syncs wait for a settle time.
        SOME,
        /// The source is one of several servers that share a table, and numbers only its own transactions.
        ONE_OF_MANY
    }

    /// A transaction that keeps moments from being sealed.
    ///
    /// @param who for people: the session's process number and the name of its application, or the name of a prepared
    ///     transaction
    /// @param since when it began, as far as the source shows it; for a prepared transaction, when it was prepared
    record Holder(String who, Instant since) {}

    Sight sight();

    /// Whether every transaction that was open at `earlier` has ended. If so, the snapshot of this horizon shows all
    /// their rows, and no later snapshot adds any.
    ///
    /// @param settle how long after `earlier` to wait for its transactions where the source does not show them all
    boolean seals(Moment earlier, Duration settle);

    /// Whether this snapshot has everything that was committed until `settle` after `earlier`. That time is measured by
    /// what the source has seen: on a standby whose replay stands still, no time passes.
    boolean hasSettled(Moment earlier, Duration settle);

    /// The transaction that has been open longest; empty where none is open.
    Optional<Holder> oldest();
}
