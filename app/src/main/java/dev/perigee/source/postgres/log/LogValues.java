package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.Fields;
import dev.perigee.source.postgres.decode.RefusedRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/// Puts the rows of one table from the stream into batches, as a pull would. Not safe for many threads, because some
/// decoders are not.
public final class LogValues {
    private final int[] fields;
    private final Decoder[] decoders;
    private final BitSet key = new BitSet();
    private final RefusedRows refused;

    private LogValues(int[] fields, Decoder[] decoders, List<String> names, List<String> key, LogRelation relation) {
        this.fields = fields;
        this.decoders = decoders;
        for (String name : key) this.key.set(names.indexOf(name));
        this.refused = new RefusedRows(relation.table(), names, key, List.of(decoders));
    }

    /// @param columns the columns to put into a batch, in its order, as the catalog has them since the stream last
    ///     described the table
    /// @param key the names of those that identify a row
    /// @param isUnchecked whether the database does not check its texts (`SQL_ASCII`)
    /// @throws PerigeeException [Fault#SOURCE_COLUMN_MISSING] for a column that the stream does not send
    public static LogValues of(
            LogRelation relation,
            List<CatalogColumn> columns,
            List<String> key,
            NumericStorage numeric,
            TimestampStorage timestamps,
            boolean isUnchecked) {
        int[] fields = new int[columns.size()];
        Decoder[] decoders = new Decoder[fields.length];
        List<String> names = new ArrayList<>();
        for (int i = 0; i < fields.length; i++) {
            CatalogColumn column = columns.get(i);
            fields[i] = relation.field(column.name());
            if (fields[i] < 0) throw missing(relation, column);
            decoders[i] = LogDecoders.of(column.type(), numeric, timestamps, isUnchecked);
            names.add(column.name());
        }
        return new LogValues(fields, decoders, names, key, relation);
    }

    /// Which values of the row are in the stream. The others were not touched by the update.
    public BitSet told(LogTuple row) {
        BitSet told = new BitSet();
        for (int i = 0; i < fields.length; i++) {
            if (row.kind(fields[i]) != LogTuple.Kind.UNCHANGED) told.set(i);
        }
        return told;
    }

    /// The number of values in a row.
    public int count() {
        return fields.length;
    }

    /// Puts the row's values into `batch`, and NULL for those that are not in the stream. The caller ends the row, or
    /// abandons it if this fails.
    ///
    /// @throws PerigeeException as a [Decoder] does for a value that cannot be stored
    public void put(LogTuple row, Batch batch) {
        for (int i = 0; i < fields.length; i++) put(row, i, batch);
    }

    /// As [#put], with NULL for what is not part of the key.
    void putWithoutRest(LogTuple row, Batch batch) {
        for (int i = 0; i < fields.length; i++) {
            if (key.get(i)) put(row, i, batch);
            else batch.putNull();
        }
    }

    /// Puts the values of the key only, in the order of the key.
    void putKey(LogTuple row, List<Integer> order, Batch batch) {
        for (int i : order) put(row, i, batch);
    }

    /// Whether two rows have the same key, byte for byte.
    boolean isSameKey(LogTuple one, LogTuple other) {
        for (int i = key.nextSetBit(0); i >= 0; i = key.nextSetBit(i + 1)) {
            int field = fields[i];
            boolean isSame = one.kind(field) == other.kind(field)
                    && Arrays.equals(
                            one.bytes(),
                            one.offset(field),
                            one.offset(field) + one.length(field),
                            other.bytes(),
                            other.offset(field),
                            other.offset(field) + other.length(field));
            if (!isSame) return false;
        }
        return true;
    }

    /// Describes a row that could not be put.
    ///
    /// @throws RuntimeException `failure`, where it is not about one row
    RefusedRow refused(LogTuple row, RuntimeException failure) {
        return refused.of(new RowFields(row), failure);
    }

    private void put(LogTuple row, int index, Batch batch) {
        int field = fields[index];
        if (row.kind(field) == LogTuple.Kind.TEXT) {
            decoders[index].decode(row.bytes(), row.offset(field), row.length(field), batch);
        } else {
            batch.putNull();
        }
    }

    private static PerigeeException missing(LogRelation relation, CatalogColumn column) {
        return Fault.SOURCE_COLUMN_MISSING.in(
                "table " + relation.table(),
                "the replication stream does not send the column \"%s\"".formatted(column.name()),
                "Nothing was changed");
    }

    /// A row's fields in the order of a batch's cells.
    private final class RowFields implements Fields {
        private final LogTuple row;

        RowFields(LogTuple row) {
            this.row = row;
        }

        @Override
        public byte[] bytes() {
            return row.bytes();
        }

        @Override
        public int offset(int field) {
            return row.offset(fields[field]);
        }

        @Override
        public int length(int field) {
            return row.kind(fields[field]) == LogTuple.Kind.TEXT ? row.length(fields[field]) : -1;
        }
    }
}
