package dev.perigee.source;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// An external database. Safe for many threads: each call takes a connection of its own and gives it back.
///
/// Every method throws [dev.perigee.fault.PerigeeException] with a `SOURCE_*` fault when the source fails. So an empty
/// answer always means that there is nothing.
public interface Source extends AutoCloseable {
    /// @param product name and version as the source reports them: `PostgreSQL 18.6`
    /// @param place where it is, without user and password
    record Info(String product, String place) {}

    /// Where the source is, without user and password. Does not connect.
    default String place() {
        return "source";
    }

    /// Connects, and asks for the product and its version.
    Info info();

    /// Asks what the server answers, and what it shows of its transactions. Reads no rows and changes nothing.
    default SourceReport probe() {
        Info info = info();
        return new SourceReport(
                new SourceReport.Server(info.product(), info.place(), "", false, false, List.of()),
                Map.of(),
                Horizon.Sight.SOME,
                List.of(Obstacle.of(Obstacle.Effect.WEAKER, "it does not show its open transactions")));
    }

    /// Finds the obstacles to copying each of these tables, by trying to read them. Reads no rows and changes nothing.
    ///
    /// @return the obstacles by table; a table without obstacles is not in the map
    default Map<TableId, List<Obstacle>> obstacles(List<SourceTable> tables) {
        return Map.of();
    }

    /// Every table, view, materialized view and foreign table that the user may read, outside the system schemas,
    /// sorted by schema and name.
    List<SourceTable> discover();

    /// Finds a table by the name that an admin wrote: `table` or `schema.table`. Parts with dots or double quotes are
    /// quoted as in SQL. A part that is not quoted is looked up as written first, then in lower case.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#SOURCE_TABLE_MISSING]
    SourceTable describe(String name);

    /// As [#describe(String)], for many tables at once.
    ///
    /// @return in the order of `names`
    default List<SourceTable> describe(List<String> names) {
        return names.stream().map(this::describe).toList();
    }

    /// As [#describe(String)], for a table that is read as its settings say.
    ///
    /// @throws dev.perigee.fault.PerigeeException as [#selected]
    default SourceTable describe(TableConfig config) {
        return read(describe(config.name()), config);
    }

    /// A table as it is read by its settings.
    ///
    /// @throws dev.perigee.fault.PerigeeException as [#selected]
    default SourceTable read(SourceTable table, TableConfig config) {
        return selected(table.readBy(config.rowSecurity()), config.reading());
    }

    /// The table, of which only the rows and the values are read that the settings `where` and `columns` ask for.
    /// Checks their expressions. The value of one may depend on columns of the row only: not on other rows, tables or
    /// settings, and not on the time. So it changes only when the row is written.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for another expression, or if the source
    ///     cannot tell; [Fault#SOURCE_COLUMN_MISSING], [Fault#SOURCE_PERMISSION]
    default SourceTable selected(SourceTable table, TableConfig.Reading reading) {
        if (!reading.hasExpressions()) return table;
        throw Fault.INVALID_REQUEST.in(
                "table " + table.id(),
                "`where` is set, or `columns` has expressions, and this source cannot check them",
                "Nothing was changed",
                "leave them out");
    }

    /// The current name of the table that had this identity; empty where it is gone, or where the source cannot tell.
    default Optional<TableId> whereabouts(Identity identity) {
        return Optional.empty();
    }

    /// The present version of the source, asked with one statement; empty where the source cannot tell by versions
    /// whether anything changed.
    default Optional<SourceVersion.At> version() {
        return Optional.empty();
    }

    /// Looks at many tables at once: how they are defined, and whether a sync would find anything.
    ///
    /// @return empty where the source cannot tell
    default Optional<Look> look(List<Look.Portion> portions) {
        return Optional.empty();
    }

    /// The log of the source's changes; empty where it has none that can be followed.
    default Optional<SourceLog> log() {
        return Optional.empty();
    }

    /// Runs `work` on the source as it is now: everything that `work` reads comes from one snapshot. Where the user's
    /// rights allow a lock, the definitions of `tables` do not change meanwhile.
    ///
    /// @param where what it is for; fault messages name it
    /// @param tables the tables that `work` reads
    <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work);

    /// Pulls in a snapshot of its own.
    ///
    /// @return the number of rows read, including refused ones
    default long pull(Pull pull, PageSink sink) {
        TableId table = pull.table().id();
        return snapshot("table " + table, List.of(table), snapshot -> snapshot.pull(pull, sink));
    }

    /// The current number of rows of the table, counted by the source.
    default long count(SourceTable table) {
        return snapshot("table " + table.id(), List.of(table.id()), snapshot -> snapshot.count(table));
    }

    /// Runs statements in one transaction: either all of them take effect, or none. Placeholders are `?` or `$1`, or
    /// `:name`.
    ///
    /// @param isReadOnly whether the source must refuse statements that write
    /// @return for each statement, the number of rows changed, or -1 if it returns rows; empty if `isReadOnly` and one
    ///     of them tries to write, and nothing was changed then
    Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers);

    /// Runs one statement with positional parameters.
    ///
    /// @return the number of rows changed, or -1 for a statement that returns rows
    default long query(String sql, List<Value> parameters, RowSink sink) {
        return run(List.of(new SqlStatement(sql, parameters, Map.of())), false, _ -> sink)
                .orElseThrow()
                .getFirst();
    }

    @Override
    void close();
}
