package dev.perigee.replication.log;

/// Ends the application of the log, because its changes do not fit a copy any more. The copy is then made again from a
/// snapshot.
final class OutdatedCopy extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String table;

    /// @param table the name the table is configured by
    /// @param why for people
    OutdatedCopy(String table, String why) {
        super(why, null, false, false);
        this.table = table;
    }

    String table() {
        return table;
    }
}
