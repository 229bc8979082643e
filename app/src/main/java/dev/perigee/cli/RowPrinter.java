package dev.perigee.cli;

import dev.perigee.sqlite.Value;
import java.util.HexFormat;
import java.util.List;

/// Writes the rows of an answer as they come.
interface RowPrinter {
    void columns(List<String> names);

    void row(List<Value> cells);

    /// Called after the last row.
    void end();

    /// A value as text: NULL as `ofNull`, blobs in hexadecimal, as SQL writes them.
    static String text(Value value, String ofNull) {
        return switch (value) {
            case Value.Null _ -> ofNull;
            case Value.Int(long number) -> Long.toString(number);
            case Value.Real(double number) -> Double.toString(number);
            case Value.Text(String text) -> text;
            case Value.Blob blob -> {
                byte[] bytes = new byte[blob.bytes().remaining()];
                blob.bytes().get(bytes);
                yield "x'" + HexFormat.of().formatHex(bytes) + "'";
            }
        };
    }
}
