package dev.perigee.source.postgres.log;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.postgresql.jdbc.PgConnection;

/// The pages of the write-ahead log. Each begins with a header, and the first one of a file with a longer header.
///
/// @param bytes the size of a page
/// @param fileBytes the size of a file
record LogPages(long bytes, long fileBytes) {
    private static final int HEADER = 24;
    private static final int FILE_HEADER = 40;

    static LogPages of(PgConnection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT current_setting('wal_block_size')::int8,
                               (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size')""")) {
            row.next();
            return new LogPages(row.getLong(1), row.getLong(2));
        }
    }

    /// The position itself, or the beginning of the page where only the page's header is in front of it.
    long beforeHeader(long position) {
        boolean isInFile = Long.remainderUnsigned(position, fileBytes) == FILE_HEADER;
        boolean isInPage = Long.remainderUnsigned(position, bytes) == HEADER
                && Long.remainderUnsigned(position, fileBytes) != HEADER;
        return isInFile ? position - FILE_HEADER : isInPage ? position - HEADER : position;
    }
}
