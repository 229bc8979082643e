package dev.perigee.source.postgres;

import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The columns of tables, as one snapshot sees them. They are kept because they do not change within a snapshot, and
/// each question is a round trip.
final class SnapshotColumns {
    private final SnapshotTransaction transaction;
    private final ColumnMemory memory;
    private final TableReads reads;
    private final Map<TableId, List<CatalogColumn>> kept = new HashMap<>();
    private final Map<TableId, String> definitions = new HashMap<>();

    SnapshotColumns(SnapshotTransaction transaction, ColumnMemory memory, TableReads reads) {
        this.transaction = transaction;
        this.memory = memory;
        this.reads = reads;
    }

    /// Tells the definition that a table has in this snapshot. It is of use only where the table was locked before the
    /// snapshot was taken: otherwise the table may be defined anew since.
    void isDefined(TableId table, String definition) {
        if (transaction.locked().contains(table)) definitions.put(table, definition);
    }

    /// Takes the lock that any read takes, where it is not held already. So what the catalog says next stays true until
    /// the transaction ends. The search path is reset, because an earlier pull may have set one in which the catalog
    /// writes types by other names.
    List<CatalogColumn> of(TableId table) throws SQLException {
        List<CatalogColumn> known = kept.get(table);
        if (known != null) return known;
        Optional<String> definition = Optional.ofNullable(definitions.get(table));
        Optional<List<CatalogColumn>> remembered = definition.flatMap(same -> memory.of(table, same));
        if (remembered.isPresent()) {
            kept.put(table, remembered.get());
            return remembered.get();
        }
        String lock = transaction.locked().contains(table)
                ? ""
                : "; SELECT FROM %s LIMIT 0".formatted(PostgresNames.table(table));
        transaction.execute("SET LOCAL search_path TO DEFAULT" + lock);
        reads.isReset();
        List<CatalogColumn> asked = PostgresCatalog.columns(transaction.session(), table);
        kept.put(table, asked);
        definition.ifPresent(as -> memory.keep(table, as, asked));
        return asked;
    }
}
