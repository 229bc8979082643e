package dev.perigee.source;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What a source knows, just before a snapshot, of transactions that were open then and may still commit.
public interface Horizon {
    /// How far the source's word goes.
    enum Sight {
        /// It sees every open transaction: what it says has ended has ended.
        ALL,
        /// It sees some of them, and the rest is waited for.
        SOME,
        /// It is one of several servers that share a table, and numbers only its own transactions.
        ONE_OF_MANY
    }

    /// A transaction that keeps moments from being sealed.
    ///
    /// @param who for people: the session's number and its application's name
    /// @param since when it began
    record Holder(String who, Instant since) {}

    Sight sight();

    /// Whether every transaction that was open at `earlier` has ended, so that nothing from before it can appear any
    /// more in the snapshot this horizon belongs to.
    ///
    /// @param settle how long after a moment its transactions are waited for where the source does not see them all
    boolean seals(Moment earlier, Duration settle);

    /// Whether this snapshot has all that was committed until `settle` after `earlier`. Counted in what the source has
    /// seen: one that follows another and stands still lets no time pass.
    boolean hasSettled(Moment earlier, Duration settle);

    /// The transaction open longest, if any is.
    Optional<Holder> oldest();
}
