package dev.perigee.source;

import dev.perigee.config.TableConfig;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// An external database. Safe for many threads; each call takes a connection of its own and gives it back.
///
/// Every method throws [dev.perigee.fault.PerigeeException] with a `SOURCE_*` fault when the source fails: an empty
/// answer always means that there is nothing.
public interface Source extends AutoCloseable {
    /// @param product name and version as the source says it: `PostgreSQL 18.6`
    /// @param place where it is, without user and password
    record Info(String product, String place) {}

    /// Where it is, without user and password; nothing is asked for it.
    default String place() {
        return "source";
    }

    /// Connects and asks who is there.
    Info info();

    /// Asks what the server answers and shows. Reads no rows and changes nothing.
    default SourceReport probe() {
        Info info = info();
        return new SourceReport(
                info.product(),
                info.place(),
                "",
                false,
                false,
                List.of(),
                Map.of(),
                Horizon.Sight.SOME,
                List.of(Obstacle.of(Obstacle.Effect.WEAKER, "it does not show its open transactions")));
    }

    /// What stands in the way of copying each of these tables, found by trying to read them. Reads no rows and changes
    /// nothing.
    ///
    /// @return by table; none for a table that nothing stands in the way of
    default Map<TableId, List<Obstacle>> obstacles(List<SourceTable> tables) {
        return Map.of();
    }

    /// Every table, view and materialized view the user may read, outside the system's schemas, sorted by name.
    List<SourceTable> discover();

    /// Finds a table by the name an admin wrote: `table` or `schema.table`, parts with dots or double quotes quoted as
    /// in SQL. A part that is not quoted matches as written first, else in lower case.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#SOURCE_TABLE_MISSING]
    SourceTable describe(String name);

    /// As [#describe(String)], to be read as its settings say.
    default SourceTable describe(TableConfig config) {
        return describe(config.name()).readBy(config.rowSecurity());
    }

    /// What a table is called now that was `identity` once; empty where it is gone, or where the source cannot tell.
    default Optional<TableId> whereabouts(Identity identity) {
        return Optional.empty();
    }

    /// Runs `work` on the source as it is now: all that it reads is of one snapshot. No table of `tables` changes its
    /// definition meanwhile.
    ///
    /// @param where what it is for, to begin a fault's message with
    /// @param tables those that are going to be read
    <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work);

    /// One pull in a snapshot of its own.
    ///
    /// @return rows sent
    default long pull(Pull pull, PageSink sink) {
        TableId table = pull.table().id();
        return snapshot("table " + table, List.of(table), snapshot -> snapshot.pull(pull, sink));
    }

    /// Rows of the table, counted by the source now.
    default long count(SourceTable table) {
        return snapshot("table " + table.id(), List.of(table.id()), snapshot -> snapshot.count(table));
    }

    /// Runs statements in one transaction: all of them, or nothing. Placeholders are `?` or `$1`, or `:name`.
    ///
    /// @param isReadOnly whether the source is to refuse statements that write
    /// @return for each, rows changed, -1 for one that returns rows; empty for read-only ones of which one wants to
    ///     write, and nothing was changed then
    Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers);

    /// One statement with positional parameters.
    ///
    /// @return rows changed, -1 for a statement that returns rows
    default long query(String sql, List<Value> parameters, RowSink sink) {
        return run(List.of(new SqlStatement(sql, parameters, Map.of())), false, _ -> sink)
                .orElseThrow()
                .getFirst();
    }

    @Override
    void close();
}
