package dev.perigee.source.postgres.statement;

import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.Pull;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresType;
import dev.perigee.source.postgres.catalog.PostgresTypes;
import dev.perigee.source.postgres.decode.ColumnReading;
import dev.perigee.source.postgres.session.PostgresNames;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// The expression does not write every rare value as the copy stores it (a year after 9999, text in a database that is
/// not UTF-8). Then both sides find a difference where there is none, and the keys themselves are exchanged. So it may
/// cost time and never a row.
///
/// @param columns the columns of the key, in its order
/// @param texts for each column, an expression of its stored text, with `%1$s` in place of the column
record KeyHashSql(List<CatalogColumn> columns, List<String> texts) {
    private static final String TEXT = "%1$s::pg_catalog.text";
    private static final String TIME =
            "CASE WHEN pg_catalog.isfinite(%%1$s) THEN pg_catalog.to_char(%%1$s, '%s') ELSE %%1$s::pg_catalog.text END";

    /// @return empty where the source cannot write the stored text of a column
    static Optional<KeyHashSql> of(List<CatalogColumn> key, Pull pull) {
        List<String> texts = new ArrayList<>();
        key.forEach(column -> stored(column.type(), pull.timestamps()).ifPresent(texts::add));
        return texts.size() == key.size() ? Optional.of(new KeyHashSql(key, texts)) : Optional.empty();
    }

    /// @param row the alias of the table
    String hash(KeyBuckets buckets, String row) {
        String hash = "'%d'::pg_catalog.int8".formatted(buckets.seed());
        for (int i = 0; i < columns.size(); i++) {
            String column = row + "." + PostgresNames.name(columns.get(i).name());
            hash = "pg_catalog.hashtextextended((%s) COLLATE pg_catalog.\"C\", %s)"
                    .formatted(texts.get(i).formatted(column), hash);
        }
        return hash;
    }

    String bucket(KeyBuckets buckets, String row) {
        return "(%s & %d)::pg_catalog.int4".formatted(hash(buckets, row), buckets.count() - 1);
    }

    /// A condition that the row's key is in one of the buckets wanted. They are a string with a bit for each bucket,
    /// because a list would be searched from its beginning for each row.
    String isIn(KeyBuckets buckets, BitSet wanted, String row) {
        byte[] bits = new byte[(buckets.count() + 7) / 8];
        byte[] set = wanted.toByteArray();
        System.arraycopy(set, 0, bits, 0, set.length);
        return "pg_catalog.get_bit(pg_catalog.decode('%s', 'hex'), %s) = 1"
                .formatted(HexFormat.of().formatHex(bits), bucket(buckets, row));
    }

    private static Optional<String> stored(PostgresType type, TimestampStorage timestamps) {
        ColumnReading reading = PostgresTypes.reading(type, NumericStorage.EXACT, TimestampStorage.ISO);
        if (!reading.isReversible()) return Optional.empty(); // JSON made of a structure
        if (!type.isBuiltIn() || type.kind() != 'b') {
            return reading.expression().equals(TEXT) ? Optional.of(TEXT) : Optional.empty();
        }
        boolean isEpoch = timestamps == TimestampStorage.EPOCH_MICROS;
        return switch (type.name()) {
            case "numeric", "float4", "float8", "time", "timetz" -> Optional.empty();
            case "bool" -> Optional.of("%1$s::pg_catalog.int4::pg_catalog.text");
            case "bytea" -> Optional.of("pg_catalog.encode(%1$s, 'hex')");
            case "timestamp" ->
                isEpoch ? Optional.empty() : Optional.of(TIME.formatted("YYYY-MM-DD\"T\"HH24:MI:SS.US"));
            case "timestamptz" ->
                isEpoch ? Optional.empty() : Optional.of(TIME.formatted("YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\""));
            default -> Optional.of(reading.expression().equals("%1$s") ? TEXT : reading.expression());
        };
    }
}
