package dev.perigee.sqlite;

import dev.perigee.fault.Fault;

/// The result codes of SQLite that matter here, and the fault that each one stands for.
///
/// @see <a href="https://www.sqlite.org/rescode.html">SQLite: Result and Error Codes</a>
final class ResultCode {
    static final int OK = 0;
    static final int ERROR = 1;
    static final int PERM = 3;
    static final int ABORT = 4;
    static final int BUSY = 5;
    static final int LOCKED = 6;
    static final int NOMEM = 7;
    static final int READONLY = 8;
    static final int INTERRUPT = 9;
    static final int IOERR = 10;
    static final int CORRUPT = 11;
    static final int FULL = 13;
    static final int CANTOPEN = 14;
    static final int PROTOCOL = 15;
    static final int TOOBIG = 18;
    static final int CONSTRAINT = 19;
    static final int MISMATCH = 20;
    static final int MISUSE = 21;
    static final int NOLFS = 22;
    static final int AUTH = 23;
    static final int RANGE = 25;
    static final int NOTADB = 26;
    static final int ROW = 100;
    static final int DONE = 101;

    private ResultCode() {}

    /// The primary result code of an extended one.
    static int primary(int extendedCode) {
        return extendedCode & 0xff;
    }

    /// The fault for a result code.
    ///
    /// @param inStatement whether a statement was prepared or run; SQLITE_ERROR is then a mistake in the statement
    static Fault fault(int extendedCode, boolean inStatement) {
        return switch (primary(extendedCode)) {
            case ERROR -> inStatement ? Fault.STATEMENT_INVALID : Fault.SQLITE_FAILED;
            case BUSY, LOCKED, PROTOCOL -> Fault.BUSY;
            // Without an extended code the disk is not the reason: the connection was opened read-only.
            case READONLY -> extendedCode == READONLY && inStatement ? Fault.FORBIDDEN : Fault.DISK_FAILED;
            case INTERRUPT -> Fault.TIME_LIMIT;
            case IOERR, CANTOPEN, PERM, NOLFS -> Fault.DISK_FAILED;
            case CORRUPT, NOTADB -> Fault.REPLICA_CORRUPT;
            case FULL -> Fault.DISK_FULL;
            // The statement's program had too little memory, or was longer than its limit.
            case NOMEM -> inStatement ? Fault.TOO_LARGE : Fault.SQLITE_FAILED;
            case TOOBIG -> Fault.TOO_LARGE;
            case CONSTRAINT -> Fault.CONSTRAINT;
            case MISMATCH, RANGE -> Fault.STATEMENT_INVALID;
            case AUTH -> Fault.FORBIDDEN;
            default -> Fault.SQLITE_FAILED;
        };
    }
}
