package dev.perigee.replication.copy;

import dev.perigee.source.SourceColumn;
import dev.perigee.sqlite.Value;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;

/// Converts a key value of the copy into a text that the source reads as the same value.
public final class KeyText {
    private KeyText() {}

    /// @param isEpoch whether the copy stores times as microseconds since 1970
    /// @return empty for NULL, and where the copy's form cannot be converted back: arrays and other structures, and
    ///     times stored as microseconds
    public static Optional<String> of(Value value, SourceColumn column, boolean isEpoch) {
        if (isEpoch && column.option() == SourceColumn.Option.TIMESTAMPS) return Optional.empty();
        if (column.values().structure().isPresent()) return Optional.empty();
        return switch (value) {
            case Value.Null _ -> Optional.empty();
            case Value.Int(long number) -> Optional.of(Long.toString(number));
            case Value.Real(double number) -> Optional.of(Double.toString(number));
            case Value.Text(String text) -> Optional.of(text);
            case Value.Blob(ByteBuffer bytes) -> {
                byte[] copy = new byte[bytes.remaining()];
                bytes.get(copy);
                yield Optional.of("\\x" + HexFormat.of().formatHex(copy));
            }
        };
    }
}
