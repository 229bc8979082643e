package dev.perigee.hazards;

import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Somebody who keeps a copy of tables by polling them. Used by one thread.
public interface Follower extends AutoCloseable {
    /// Rows a page has in every hazard.
    int PAGE_ROWS = 50;

    /// Where a follower finds the source, and what it may use.
    ///
    /// @param folder its own
    /// @param clock what it must take the time from
    /// @param isStamped whether it may be told that nobody but the source writes cursor values
    record Wiring(int port, String database, Path folder, InstantSource clock, boolean isStamped) {}

    /// Makes followers of one kind.
    @FunctionalInterface
    interface Kind {
        Follower open(Wiring wiring, List<Hazard.Table> tables) throws Exception;
    }

    /// What a follower says of its copy.
    ///
    /// @param guarantee in its own words
    /// @param completeAsOf the time at the source for which that holds
    /// @param cursor the greatest value it saw
    record Promise(String guarantee, Optional<Instant> completeAsOf, Optional<String> cursor) {
        boolean isComplete() {
            return guarantee.equals("complete");
        }
    }

    /// Pulls what there is to pull.
    ///
    /// @return why it failed; empty where it did not
    Optional<String> poll() throws Exception;

    /// The copy: `v` by key. Empty where there is none yet.
    Map<String, String> rows(Hazard.Table table) throws Exception;

    /// What it promises of a table; empty for those that promise nothing.
    Optional<Promise> promise(Hazard.Table table) throws Exception;

    /// Has `hook` run once, after the next page has arrived and before the one after it is read.
    void onNextPage(Runnable hook);

    /// Stops and starts again on the same copy.
    void restart() throws Exception;

    /// Compares the copy with its source and repairs it, where the follower can.
    ///
    /// @return whether it can
    boolean healed() throws Exception;

    @Override
    void close() throws SQLException;
}
