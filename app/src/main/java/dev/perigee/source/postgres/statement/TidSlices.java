package dev.perigee.source.postgres.statement;

import dev.perigee.source.SourceTable;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.jdbc.PgConnection;

/// A table's blocks in ranges, each read by a statement of its own, so that no single one takes very long. Together
/// they are the whole table: the last one has no end.
public final class TidSlices {
    /// Blocks in a slice: 1 GiB at the usual 8 KiB.
    static final long SLICE_BLOCKS = 131_072;

    /// The first version that reads a range of row addresses without reading all the others.
    private static final int RANGE_SCANS = 140_000;

    private static final String BLOCKS = """
            SELECT pg_relation_size(c.oid) / current_setting('block_size')::int8
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'm')
              AND has_column_privilege(c.oid, 'ctid', 'SELECT')""";

    private TidSlices() {}

    /// Conditions on the row `r`, of which each row of the table fulfils exactly one. A single empty condition where
    /// the table is read as a whole.
    public static List<String> of(PgConnection session, SourceTable table, int serverVersion) throws SQLException {
        boolean hasAddresses =
                table.kind() == SourceTable.Kind.TABLE || table.kind() == SourceTable.Kind.MATERIALIZED_VIEW;
        if (!hasAddresses || serverVersion < RANGE_SCANS) return List.of("");
        try (PreparedStatement statement = session.prepareStatement(BLOCKS)) {
            statement.setString(1, table.id().schema());
            statement.setString(2, table.id().name());
            try (ResultSet row = statement.executeQuery()) {
                // Rows of tables that inherit from this one lie in other files, at the same addresses.
                return row.next() ? slices(row.getLong(1), SLICE_BLOCKS) : List.of("");
            }
        }
    }

    static List<String> slices(long blocks, long sliceBlocks) {
        List<String> slices = new ArrayList<>();
        for (long from = 0; from == 0 || from < blocks; from += sliceBlocks) {
            boolean isLast = from + sliceBlocks >= blocks;
            List<String> bounds = new ArrayList<>();
            if (from > 0) bounds.add("r.ctid >= '(%d,0)'::pg_catalog.tid".formatted(from));
            if (!isLast) bounds.add("r.ctid < '(%d,0)'::pg_catalog.tid".formatted(from + sliceBlocks));
            slices.add(String.join(" AND ", bounds));
        }
        return slices;
    }
}
