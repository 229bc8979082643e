package dev.perigee.sqlite;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Converts between [Value] and the arguments and results of SQL functions.
final class NativeValue {
    private NativeValue() {}

    static Value read(long value) {
        return switch (NativeFunction.valueType(value)) {
            case 1 -> new Value.Int(NativeFunction.valueInt(value));
            case 2 -> new Value.Real(NativeFunction.valueReal(value));
            case 3 -> new Value.Text(new String(bytes(NativeFunction.valueText(value), value), StandardCharsets.UTF_8));
            case 4 -> new Value.Blob(ByteBuffer.wrap(bytes(NativeFunction.valueBlob(value), value)));
            default -> Value.Null.NULL;
        };
    }

    static void result(long context, Value result) {
        switch (result) {
            case Value.Null _ -> NativeFunction.resultNull(context);
            case Value.Int(long number) -> NativeFunction.resultInt(context, number);
            case Value.Real(double number) -> NativeFunction.resultReal(context, number);
            case Value.Text(String text) -> NativeFunction.resultText(context, Utf8.bytes(text, "a function's result"));
            case Value.Blob blob -> NativeFunction.resultBlob(context, bytes(blob));
        }
    }

    static byte[] bytes(Value.Blob blob) {
        ByteBuffer view = blob.bytes();
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        return bytes;
    }

    private static byte[] bytes(long address, long value) {
        return NativeLibrary.bytes(address, NativeFunction.valueBytes(value));
    }
}
