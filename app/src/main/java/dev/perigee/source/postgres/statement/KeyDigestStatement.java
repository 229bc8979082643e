package dev.perigee.source.postgres.statement;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.source.Expression;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Pull;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.decode.BigEndian;
import dev.perigee.source.postgres.decode.CopyRows;
import dev.perigee.source.postgres.session.PostgresNames;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.postgresql.copy.CopyOut;
import org.postgresql.jdbc.PgConnection;

/// Counts a table's keys by bucket, with a statement for each slice of the table, so that no single statement takes
/// very long.
public final class KeyDigestStatement {
    private static final String ROW = "r";

    private KeyDigestStatement() {}

    /// See [dev.perigee.source.Snapshot#keyDigests].
    public static Optional<KeyDigests> run(
            PgConnection session, SourceConfig config, Pull keys, KeyBuckets buckets, int serverVersion)
            throws SQLException {
        Map<String, CatalogColumn> catalog = PostgresCatalog.columns(
                        session, keys.table().id())
                .stream()
                .collect(Collectors.toMap(CatalogColumn::name, Function.identity()));
        List<CatalogColumn> key = new ArrayList<>();
        for (String name : keys.key()) {
            CatalogColumn column = catalog.get(name);
            if (column == null) {
                throw Fault.SOURCE_SCHEMA_CHANGED.in(
                        "table " + keys.table().id(),
                        "its column \"%s\" no longer exists".formatted(name),
                        "Nothing was read");
            }
            key.add(column);
        }
        Optional<KeyHashSql> hash = KeyHashSql.of(key, keys);
        if (hash.isEmpty()) return Optional.empty();
        try (Statement settings = session.createStatement()) {
            settings.execute("SET LOCAL search_path = %s; SET LOCAL statement_timeout = ".formatted(path(keys))
                    + config.limits().statementTimeout().toMillis());
        }
        KeyDigests digests = new KeyDigests(buckets);
        for (String slice : TidSlices.of(session, keys.table(), serverVersion)) {
            String sql =
                    "COPY (SELECT b, count(*), sum(h)::pg_catalog.text FROM (SELECT %s AS b, %s AS h FROM %s AS %s WHERE true%s%s) k"
                                    .formatted(
                                            hash.get().bucket(buckets, ROW),
                                            hash.get().hash(buckets, ROW),
                                            PostgresNames.table(keys.table().id()),
                                            ROW,
                                            slice.isEmpty() ? "" : " AND " + slice,
                                            SliceSql.and(keys.table()))
                            + " GROUP BY b) TO STDOUT (FORMAT BINARY)";
            add(session.getCopyAPI().copyOut(sql), keys, digests);
        }
        return Optional.of(digests);
    }

    /// Where names are looked up: only the condition of the table's slice needs more than the server's own.
    private static String path(Pull keys) {
        List<String> path = new ArrayList<>(List.of("pg_catalog"));
        keys.table().access().slice().map(Expression::schemas).ifPresent(path::addAll);
        return path.stream().map(PostgresNames::name).collect(Collectors.joining(", "));
    }

    private static void add(CopyOut copy, Pull keys, KeyDigests digests) throws SQLException {
        CopyRows rows = new CopyRows(copy, 3);
        while (rows.next()) {
            if (rows.length(0) < 0) {
                if (copy.isActive()) copy.cancelCopy();
                throw Fault.KEY_MISSING.in(
                        "table " + keys.table().id(),
                        "a row has NULL in a column of its key, so the key does not identify it",
                        "Nothing was changed");
            }
            String sum = new String(rows.bytes(), rows.offset(2), rows.length(2), StandardCharsets.US_ASCII);
            digests.add(
                    BigEndian.int4(rows.bytes(), rows.offset(0)),
                    BigEndian.int8(rows.bytes(), rows.offset(1)),
                    new BigInteger(sum).longValue());
        }
    }
}
