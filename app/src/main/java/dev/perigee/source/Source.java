package dev.perigee.source;

import dev.perigee.sqlite.Value;
import java.util.List;

/// An external database. Safe for many threads; each call takes a connection of its own and gives it back.
///
/// Every method throws [dev.perigee.fault.PerigeeException] with a `SOURCE_*` fault when the source fails: an empty
/// answer always means that there is nothing.
public interface Source extends AutoCloseable {
    /// @param product name and version as the source says it: `PostgreSQL 18.6`
    /// @param place where it is, without user and password
    record Info(String product, String place) {}

    /// Connects and asks who is there.
    Info info();

    /// Every table, view and materialized view the user may read, outside the system's schemas, sorted by name.
    List<SourceTable> discover();

    /// Finds a table by the name an admin wrote: `table` or `schema.table`, parts with dots or double quotes quoted as
    /// in
    /// SQL. A part that is not quoted matches as written first, else in lower case.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#SOURCE_TABLE_MISSING]
    SourceTable describe(String name);

    /// Sends the rows asked for to `sink`, page by page, and returns when nothing is left. All pages are from one
    /// snapshot of the source. Holds one page in memory.
    ///
    /// @return rows sent
    long pull(Pull pull, PageSink sink);

    /// Rows of the table, counted by the source now.
    long count(SourceTable table);

    /// Runs one statement with positional parameters and commits. Placeholders are `?` or `$1`.
    ///
    /// @return rows changed, -1 for a statement that returns rows
    long query(String sql, List<Value> parameters, RowSink sink);

    @Override
    void close();
}
