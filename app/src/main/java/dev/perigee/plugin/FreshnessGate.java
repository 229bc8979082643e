package dev.perigee.plugin;

import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/// Knows how fresh the copies are, and makes them fresher on demand. Set by the plugin that keeps them
/// ([PluginHost#freshness]). Safe for many threads.
///
/// Tables are named as in SQL, in lower case. Those that are not copies are left out.
public interface FreshnessGate {
    /// A demand, and when it was made. A copy is never too old that was looked at after that.
    ///
    /// @param atNanos by [System#nanoTime]
    record Asked(FreshnessDemand demand, long atNanos) {}

    /// For a server without copies.
    FreshnessGate NONE = new FreshnessGate() {
        @Override
        public long now() {
            return 0;
        }

        @Override
        public Optional<AnswerFreshness> of(Set<String> tables, long mark) {
            return Optional.empty();
        }

        @Override
        public boolean meets(Asked asked, Set<String> tables, long mark) {
            return true;
        }

        @Override
        public void refuse(Asked asked, Set<String> tables) {}

        @Override
        public void await(Asked asked, Set<String> tables, Duration limit, Cancellation cancellation) {}
    };

    /// A mark to be taken before a read begins. The read sees at least what the copies had then.
    long now();

    /// How fresh the tables are for a read that took `mark` before it began. Does not wait.
    ///
    /// @return empty where none of them is a copy
    Optional<AnswerFreshness> of(Set<String> tables, long mark);

    /// Whether the tables are as fresh as `asked` says, for a read that took `mark` before it began. Does not wait.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] for a token of another
    ///     system, [dev.perigee.fault.Fault#CONFLICT] for one of another timeline
    boolean meets(Asked asked, Set<String> tables, long mark);

    /// Fails if the tables are not as fresh as `asked` says.
    ///
    /// @throws dev.perigee.statement.StaleException naming the tables
    void refuse(Asked asked, Set<String> tables);

    /// Has the tables synced that are not as fresh as `asked` says, and waits until all of them are. Blocks; not to be
    /// called on a platform thread that others need.
    ///
    /// @param limit the longest wait
    /// @throws dev.perigee.statement.StaleException if it takes longer, or as soon as it is known that nothing will
    ///     make a table fresher
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#BUSY] if too many wait already; the reason
    ///     if it was cancelled; as [#meets]
    void await(Asked asked, Set<String> tables, Duration limit, Cancellation cancellation);
}
