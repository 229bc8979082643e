package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.RefusedRow.Text;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.Value;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Describes rows that could not be decoded. Whatever a decoder does with such a row, each column is described: a value
/// whose text cannot be made is shown as the bytes that were received.
public final class RefusedRows {
    /// What [Batch] and [dev.perigee.source.postgres.statement.PullStatement] throw about one row. Any other fault
    /// concerns more than one row.
    private static final Set<Fault> OF_A_ROW = EnumSet.of(Fault.VALUE_UNSTORABLE, Fault.KEY_MISSING);

    private static final long SCRATCH_BYTES = 64 << 10;

    private final TableId table;
    private final List<String> columns;
    private final List<String> key;
    private final List<Decoder> decoders;

    /// @param columns the names of a row's first fields
    /// @param key those of them that identify a row
    /// @param decoders at least one for each of `columns`, in their order
    public RefusedRows(TableId table, List<String> columns, List<String> key, List<Decoder> decoders) {
        this.table = table;
        this.columns = columns;
        this.key = key;
        this.decoders = decoders;
    }

    public RefusedRow of(Fields rows, RuntimeException failure) {
        PerigeeException reason = reason(rows, failure);
        Map<String, Optional<Text>> texts = new LinkedHashMap<>();
        for (int field = 0; field < columns.size(); field++) {
            boolean isNull = rows.length(field) < 0;
            texts.put(columns.get(field), isNull ? Optional.empty() : Optional.of(text(rows, field)));
        }
        return new RefusedRow(key(rows), texts, reason);
    }

    /// The fault for the row. A mistake of ours must not lose the row, nor stop other rows. Only the exception's class
    /// is named, because its message may hold a value.
    private PerigeeException reason(Fields rows, RuntimeException failure) {
        if (failure instanceof PerigeeException fault) {
            if (OF_A_ROW.contains(fault.fault())) return fault;
            throw failure;
        }
        String column = columns.get(firstThatFails(rows));
        return Fault.VALUE_UNSTORABLE.in(
                "table " + table,
                "a value of \"%s\" could not be read (%s)"
                        .formatted(column, failure.getClass().getSimpleName()),
                "The row is set aside",
                failure);
    }

    private int firstThatFails(Fields rows) {
        for (int field = 0; field < columns.size(); field++) {
            if (decoded(rows, List.of(field)).isEmpty()) return field;
        }
        return 0;
    }

    private List<Value> key(Fields rows) {
        List<Integer> fields = key.stream().map(columns::indexOf).toList();
        boolean isWhole = !fields.isEmpty() && fields.stream().allMatch(field -> field >= 0 && rows.length(field) >= 0);
        return isWhole ? decoded(rows, fields) : List.of();
    }

    /// @return empty where one of the fields cannot be decoded
    private List<Value> decoded(Fields rows, List<Integer> fields) {
        try (Batch scratch = new Batch(fields.size(), 1, SCRATCH_BYTES)) {
            for (int field : fields) {
                int length = rows.length(field);
                if (length < 0) scratch.putNull();
                else decoders.get(field).decode(rows.bytes(), rows.offset(field), length, scratch);
            }
            scratch.endRow();
            List<Value> values = new ArrayList<>();
            for (int column = 0; column < fields.size(); column++) values.add(scratch.value(0, column));
            return values;
        } catch (RuntimeException e) {
            return List.of();
        }
    }

    private Text text(Fields rows, int field) {
        Decoder decoder = decoders.get(field);
        int length = rows.length(field);
        int offset = rows.offset(field);
        if (length > RefusedRow.MAX_TEXT_BYTES) return beginning(rows.bytes(), offset, length, decoder);
        try {
            return Text.whole(decoder.text(rows.bytes(), offset, length));
        } catch (RuntimeException e) {
            return Text.whole(PlainDecoder.BYTEA.text(rows.bytes(), offset, length));
        }
    }

    /// The beginning of a value that may be as large as all our memory.
    private static Text beginning(byte[] bytes, int offset, int length, Decoder decoder) {
        if (decoder != PlainDecoder.TEXT && decoder != PlainDecoder.JSONB) {
            return new Text(PlainDecoder.BYTEA.text(bytes, offset, RefusedRow.MAX_TEXT_BYTES / 2), length);
        }
        int from = decoder == PlainDecoder.JSONB ? offset + 1 : offset;
        int end = from + RefusedRow.MAX_TEXT_BYTES;
        while (end > from && (bytes[end] & 0xc0) == 0x80) end--; // not in the middle of a character
        return new Text(new String(bytes, from, end - from, StandardCharsets.UTF_8), length);
    }
}
