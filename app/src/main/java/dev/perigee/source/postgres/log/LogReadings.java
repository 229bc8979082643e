package dev.perigee.source.postgres.log;

import dev.perigee.source.LogSink.Target;
import dev.perigee.source.LogTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.CatalogNames;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresConnections;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.postgresql.jdbc.PgConnection;

/// Finds out how the rows of a table that the stream describes become rows of its copy.
///
/// The stream describes a table as it was when the change was written, and the catalog as it is now. Only where both
/// are the same is it known what the stream's fields are.
record LogReadings(PostgresConnections connections) {
    /// The columns that a publication of ours sends; see [PostgresLog#create].
    private static final String SENT = """
            SELECT c.relname, n.nspname, c.relreplident, a.attname, a.atttypid, a.atttypmod
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
            WHERE c.oid = ?::oid AND a.attnum > 0 AND NOT a.attisdropped
              AND a.attgenerated IN ('', CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 's' END)
            ORDER BY a.attnum""";

    /// @param relation the description that it was made for
    /// @param key the indexes of the key's columns, in the order of the key
    record Reading(LogRelation relation, LogTable wanted, LogValues values, List<Integer> key) {}

    /// Calls [Target#redefined], which throws, where the table is not defined as it was for the copy.
    Reading of(LogRelation relation, Target target) {
        return connections.read("table " + relation.table(), session -> of(session, relation, target));
    }

    private static Reading of(PgConnection session, LogRelation relation, Target target) throws SQLException {
        LogTable wanted = target.wanted();
        List<CatalogColumn> columns = new ArrayList<>();
        Optional<String> why = why(session, relation, wanted, columns);
        if (why.isPresent()) {
            target.redefined(why.get());
            throw new IllegalStateException("the sink went on after a change of the definition");
        }
        LogValues values = LogValues.of(
                relation,
                columns,
                wanted.key(),
                wanted.numeric(),
                wanted.timestamps(),
                CatalogNames.isUnchecked(session));
        List<String> names = wanted.columnNames();
        return new Reading(
                relation,
                wanted,
                values,
                wanted.key().stream().map(names::indexOf).toList());
    }

    /// Why the stream's rows cannot be read; empty where they can.
    ///
    /// @param columns gets the wanted columns
    private static Optional<String> why(
            PgConnection session, LogRelation relation, LogTable wanted, List<CatalogColumn> columns)
            throws SQLException {
        if (!relation.table().equals(wanted.table())) return Optional.of("its name was %s".formatted(relation.table()));
        if (!isAsNow(session, relation)) return Optional.of("its columns, their types or its name were changed");
        Map<Integer, CatalogColumn> now = PostgresCatalog.columns(session, relation.table()).stream()
                .collect(Collectors.toMap(CatalogColumn::number, Function.identity()));
        for (LogTable.Column column : wanted.columns()) {
            CatalogColumn there = now.get(column.identity());
            boolean isSame = there != null
                    && there.name().equals(column.name())
                    && there.formattedType().equals(column.sourceType())
                    && relation.field(column.name()) >= 0;
            if (!isSame) return Optional.of("its column \"%s\" was changed".formatted(column.name()));
            columns.add(there);
        }
        for (String name : wanted.key()) {
            boolean isTold = relation.identity() == 'f'
                    || relation.columns().get(relation.field(name)).isKey();
            if (!isTold) return Optional.of("its replica identity lacks the column \"%s\" of the key".formatted(name));
        }
        return Optional.empty();
    }

    private static boolean isAsNow(PgConnection session, LogRelation relation) throws SQLException {
        List<LogRelation.Column> told = relation.columns();
        try (PreparedStatement statement = session.prepareStatement(SENT)) {
            statement.setLong(1, Integer.toUnsignedLong(relation.oid()));
            try (ResultSet row = statement.executeQuery()) {
                int count = 0;
                while (row.next()) {
                    if (count == told.size()) return false;
                    LogRelation.Column column = told.get(count++);
                    boolean isSame = row.getString(1).equals(relation.table().name())
                            && row.getString(2).equals(relation.table().schema())
                            && row.getString(3).charAt(0) == relation.identity()
                            && row.getString(4).equals(column.name())
                            && (int) row.getLong(5) == column.type()
                            && row.getInt(6) == column.modifier();
                    if (!isSame) return false;
                }
                return count == told.size();
            }
        }
    }
}
