package dev.perigee.source.postgres;

import dev.perigee.source.Obstacle;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.source.postgres.session.PostgresNames;
import dev.perigee.source.postgres.session.TransactionVisibility;
import dev.perigee.source.postgres.statement.ChangedRows;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds out whether the rows of a table tell which transaction wrote them. Where they do not, all rows must be read to
/// find those that changed. The answers are kept for the snapshot.
final class RowVersions {
    /// The system columns that tell which rows changed, and where they lie.
    private static final String SYSTEM_COLUMNS = "xmin, ctid, tableoid";

    private final SnapshotTransaction transaction;

    /// By table, why its rows do not tell; empty where they do.
    private final Map<TableId, Optional<Obstacle>> untold = new HashMap<>();

    RowVersions(SnapshotTransaction transaction) {
        this.transaction = transaction;
    }

    /// Selects rows of the table by the transaction that wrote them.
    ChangedRows changedRows(SourceTable table) throws SQLException {
        return new ChangedRows(
                transaction.horizon().numbers(),
                hasVersions(table) && untold(table).isEmpty());
    }

    /// Why the rows do not tell; empty where they do, and for views and foreign tables, which have no versions of rows.
    Optional<Obstacle> obstacle(SourceTable table) throws SQLException {
        return hasVersions(table) ? untold(table) : Optional.empty();
    }

    private static boolean hasVersions(SourceTable table) {
        return table.kind() != SourceTable.Kind.VIEW && table.kind() != SourceTable.Kind.FOREIGN_TABLE;
    }

    private Optional<Obstacle> untold(SourceTable table) throws SQLException {
        Optional<Obstacle> known = untold.get(table.id());
        if (known != null) return known;
        List<String> extensions = transaction.horizon().server().extensions();
        // LOCK TABLE needs the right to read the whole table.
        boolean isSure =
                transaction.locked().contains(table.id()) && !extensions.contains(TransactionVisibility.TIMESCALE);
        Optional<Obstacle> found = extensions.contains(TransactionVisibility.CITUS)
                ? Optional.of(
                        allRead(
                                "Citus numbers transactions on each server separately, so rows do not tell when they were written"))
                : isSure ? Optional.empty() : triedToTell(table);
        untold.put(table.id(), found);
        return found;
    }

    /// Tries to read the system columns. A role that was granted single columns has no right to them, because nobody
    /// thinks of granting it. Compressed chunks of TimescaleDB do not have them.
    private Optional<Obstacle> triedToTell(SourceTable table) throws SQLException {
        String name = PostgresNames.table(table.id());
        Optional<SQLException> refusal = Capabilities.refusal(
                transaction.session(), "SELECT %s FROM %s LIMIT 0".formatted(SYSTEM_COLUMNS, name));
        if (refusal.isEmpty()) return Optional.empty();
        SQLException said = refusal.get();
        if (PostgresFaults.hidesRows(said)) throw said;
        if (!PostgresFaults.state(said).equals("42501")) {
            return Optional.of(
                    allRead("it does not answer %s: %s".formatted(SYSTEM_COLUMNS, PostgresFaults.said(said))));
        }
        String user = transaction.horizon().server().user();
        return Optional.of(new Obstacle(
                Obstacle.Effect.DEARER,
                allRead("%s may not read %s, which tell which rows changed".formatted(user, SYSTEM_COLUMNS))
                        .what(),
                List.of(
                        "GRANT SELECT (%s) ON %s TO %s".formatted(SYSTEM_COLUMNS, name, PostgresNames.name(user)),
                        "GRANT SELECT ON %s TO %s".formatted(name, PostgresNames.name(user)))));
    }

    private static Obstacle allRead(String why) {
        return Obstacle.of(Obstacle.Effect.DEARER, why + "; all rows are read at each sync");
    }
}
