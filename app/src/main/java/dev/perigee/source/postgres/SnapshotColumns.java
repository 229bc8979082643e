package dev.perigee.source.postgres;

import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The columns of tables, as one snapshot sees them. They are kept because they do not change within a snapshot, and
/// each question is a round trip.
final class SnapshotColumns {
    private final SnapshotTransaction transaction;
    private final Map<TableId, List<CatalogColumn>> kept = new HashMap<>();

    SnapshotColumns(SnapshotTransaction transaction) {
        this.transaction = transaction;
    }

    /// Takes the lock that any read takes, where it is not held already. So what the catalog says next stays true until
    /// the transaction ends. The search path is reset, because an earlier pull may have set one in which the catalog
    /// writes types by other names.
    List<CatalogColumn> of(TableId table) throws SQLException {
        List<CatalogColumn> known = kept.get(table);
        if (known != null) return known;
        String lock = transaction.locked().contains(table)
                ? ""
                : "; SELECT FROM %s LIMIT 0".formatted(PostgresNames.table(table));
        transaction.execute("SET LOCAL search_path TO DEFAULT" + lock);
        List<CatalogColumn> asked = PostgresCatalog.columns(transaction.session(), table);
        kept.put(table, asked);
        return asked;
    }
}
