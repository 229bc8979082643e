package dev.perigee.sqlite;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import org.jspecify.annotations.Nullable;

/// SQLite refused something or failed. The message has SQLite's own message and, for a statement, the place in it.
public final class SqliteException extends PerigeeException {
    private final int extendedCode;
    private final int offset;

    /// @param extendedCode SQLite's extended result code
    /// @param offset UTF-16 index of the mistake in the statement, -1 if unknown
    public SqliteException(Fault fault, String message, int extendedCode, int offset) {
        this(fault, message, fault.remedy(), extendedCode, offset, null);
    }

    /// As the public one.
    ///
    /// @param remedy the remedy of this occurrence
    /// @param cause what a callback of ours threw meanwhile; null if nothing
    SqliteException(
            Fault fault, String message, String remedy, int extendedCode, int offset, @Nullable Throwable cause) {
        super(fault, message, remedy, cause);
        this.extendedCode = extendedCode;
        this.offset = offset;
    }

    /// @see <a href="https://www.sqlite.org/rescode.html">SQLite: Result and Error Codes</a>
    public int extendedCode() {
        return extendedCode;
    }

    /// UTF-16 index of the mistake in the text that was prepared or executed, -1 if unknown.
    public int offset() {
        return offset;
    }
}
