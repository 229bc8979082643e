package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresType;
import dev.perigee.source.postgres.catalog.PostgresTypes;
import dev.perigee.source.postgres.decode.CheckedText;
import dev.perigee.source.postgres.decode.ColumnReading;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.PlainDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Puts the rows of one table from the stream into batches, with the decoders that a pull uses. Not safe for many
/// threads, because some decoders are not.
///
/// A pull may ask for an expression of a column, such as its text. The stream sends only the column itself, in the
/// binary form of its type. So types whose binary form is not what a pull reads are refused.
public final class LogValues {
    private final int[] fields;
    private final Decoder[] decoders;

    private LogValues(int[] fields, Decoder[] decoders) {
        this.fields = fields;
        this.decoders = decoders;
    }

    /// @param columns the columns to put into a batch, in its order, as the catalog has them since the stream last
    ///     described the table
    /// @param isUnchecked whether the database does not check its texts (`SQL_ASCII`)
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a column whose type the stream does not send as a pull
    ///     reads it; [Fault#SOURCE_COLUMN_MISSING] for a column that the stream does not send
    public static LogValues of(
            LogRelation relation,
            List<CatalogColumn> columns,
            NumericStorage numeric,
            TimestampStorage timestamps,
            boolean isUnchecked) {
        int[] fields = new int[columns.size()];
        List<Decoder> decoders = new ArrayList<>();
        for (int i = 0; i < fields.length; i++) {
            CatalogColumn column = columns.get(i);
            fields[i] = relation.field(column.name());
            if (fields[i] < 0) throw missing(relation, column);
            Decoder decoder = decoder(column.type(), numeric, timestamps).orElseThrow(() -> refused(relation, column));
            boolean isText = decoder == PlainDecoder.TEXT || decoder == PaddedText.DECODER;
            decoders.add(isUnchecked && isText ? new CheckedText(decoder) : decoder);
        }
        return new LogValues(fields, decoders.toArray(Decoder[]::new));
    }

    /// How a type's binary form becomes what a pull stores; empty for a type that the stream sends in another form.
    static Optional<Decoder> decoder(PostgresType type, NumericStorage numeric, TimestampStorage timestamps) {
        ColumnReading reading = PostgresTypes.reading(type, numeric, timestamps);
        if (reading.select("c").equals("c")) return Optional.of(reading.decoder());
        if (type.structure().isPresent()) return Optional.empty();
        if (type.kind() == 'e') return Optional.of(PlainDecoder.TEXT);
        if (type.kind() != 'b') return Optional.empty();
        if (!type.isBuiltIn()) return type.name().equals("citext") ? Optional.of(PlainDecoder.TEXT) : Optional.empty();
        return switch (type.name()) {
            case "bpchar" -> Optional.of(PaddedText.DECODER);
            case "jsonpath" -> Optional.of(PlainDecoder.JSONB); // it has a version byte as well
            default -> Optional.empty();
        };
    }

    /// Whether a value of the row is not in the stream, because the update did not touch it.
    public boolean isPartial(LogTuple tuple) {
        for (int field : fields) {
            if (tuple.kind(field) == LogTuple.Kind.UNCHANGED) return true;
        }
        return false;
    }

    /// Puts the row's values into `batch`. The caller ends the row, or abandons it if this fails.
    ///
    /// @param tuple not [#isPartial]
    /// @throws PerigeeException as a [Decoder] does for a value that cannot be stored
    public void put(LogTuple tuple, Batch batch) {
        for (int i = 0; i < fields.length; i++) {
            int field = fields[i];
            switch (tuple.kind(field)) {
                case NULL -> batch.putNull();
                case BINARY -> decoders[i].decode(tuple.bytes(), tuple.offset(field), tuple.length(field), batch);
                case UNCHANGED -> throw new IllegalStateException("field " + field + " is not in the stream");
                case TEXT -> throw new IllegalStateException("field " + field + " is not in binary form");
            }
        }
    }

    private static PerigeeException missing(LogRelation relation, CatalogColumn column) {
        return Fault.SOURCE_COLUMN_MISSING.in(
                "table " + relation.table(),
                "the replication stream does not send the column \"%s\"".formatted(column.name()),
                "Nothing was changed");
    }

    private static PerigeeException refused(LogRelation relation, CatalogColumn column) {
        return Fault.INVALID_REQUEST.in(
                "table " + relation.table(),
                "the column \"%s\" has the type %s, whose values the replication stream sends in a form that cannot be stored yet"
                        .formatted(column.name(), column.formattedType()),
                "Nothing was changed",
                "leave the column out, or follow the table in another mode");
    }
}
