package dev.perigee.replication.sync;

import dev.perigee.fault.Fault;
import dev.perigee.source.LogTable;

/// Prepares the source's log for a table in mode `log` whose rows are about to be read.
public interface LogStart {
    /// For syncs without a server, where nothing would apply the log's changes.
    LogStart WITHOUT_SERVER = (wanted, _) -> {
        throw Fault.INVALID_REQUEST.in(
                "table " + wanted.table(),
                "its `mode` is `log`, and only a server follows the source's log",
                "The copy stays as it is",
                "start a server with `perigee serve`");
    };

    /// Has the source send the table's changes, and holds back the application of the log. When this returns, each
    /// transaction that is not visible to a snapshot taken later is yet to come from the log, with all its changes of
    /// the table.
    ///
    /// @return to be closed when the rows are committed, or the attempt has failed
    /// @throws dev.perigee.fault.PerigeeException a `SOURCE_*` fault, or [Fault#INVALID_REQUEST] if the table cannot be
    ///     followed
    Held begin(LogTable wanted, SyncCancellation cancellation);

    /// While it is not closed, nothing of the log is applied.
    interface Held extends AutoCloseable {
        @Override
        void close();
    }
}
