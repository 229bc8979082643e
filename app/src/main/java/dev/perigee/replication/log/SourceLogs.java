package dev.perigee.replication.log;

import dev.perigee.fault.Fault;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;

/// Finds the log of a source.
public final class SourceLogs {
    private SourceLogs() {}

    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] if the source has none that can be followed
    public static SourceLog of(Source source) {
        return source.log()
                .orElseThrow(() -> Fault.INVALID_REQUEST.in(
                        "the source",
                        "it has no log of its changes that Perigee can follow, which `mode` `log` needs",
                        "Nothing was changed",
                        "choose another `mode` for the table"));
    }
}
