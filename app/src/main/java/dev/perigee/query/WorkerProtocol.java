package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.Caller;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.worker.Wire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// The protocol of the server and a worker process for statements. Both are the same build, so it has no version.
///
/// A request consists of a [Request], the news that [QueryWorker#putNews] sends, and the request's fields. The worker
/// answers with any number of messages. Each begins with a [Tag]; a tag that [Tag#isLast] ends the exchange.
final class WorkerProtocol {
    enum Request {
        /// Fields: time limit, caller, statements. The worker runs them if they only read.
        READ,
        /// Fields: time limit, limits of the WAL and the database in bytes, whether changes are recorded, caller,
        /// statements. The worker runs them in a transaction.
        WRITE,
        /// Field: a text. The worker answers with its normalized form.
        NORMALIZE;

        static Request of(int code) {
            return values()[code];
        }
    }

    enum Tag {
        /// The copies that the statements read, before any of their rows. If the request asks for it, the server
        /// answers whether to go on.
        READS,
        /// Names of a statement's columns.
        COLUMNS,
        /// A row's values, as many as there are columns.
        ROW,
        /// A statement is done: rows read and written.
        END,
        /// A plugin's function is needed: its number and arguments. The server answers whether the call succeeded, then
        /// with the value or the fault.
        CALL,
        /// A table is about to be altered: its name. The server answers with a byte when it is ready.
        ALTERING,
        /// Everything is done except for the commit. The server answers whether to commit.
        READY,
        /// A read is done. What [PointReads] learnt about the last statement follows.
        DONE,
        /// The statements write; nothing was run.
        WRITES,
        /// The transaction is committed.
        COMMITTED,
        /// The transaction was rolled back, as the server wanted.
        ROLLED_BACK,
        /// The normalized text.
        TEXT,
        /// The request failed: fault and message. Nothing was written.
        FAILED;

        static Tag of(int code) {
            return values()[code];
        }

        boolean isLast() {
            return ordinal() >= DONE.ordinal();
        }
    }

    private static final int NULL = 0;
    private static final int INTEGER = 1;
    private static final int REAL = 2;
    private static final int TEXT = 3;
    private static final int BLOB = 4;

    private WorkerProtocol() {}

    static void put(Wire wire, Tag tag) {
        wire.putByte(tag.ordinal());
    }

    static Tag tag(Wire wire) {
        return Tag.of(wire.getByte());
    }

    static void putValue(Wire wire, Value value) {
        switch (value) {
            case Value.Null _ -> wire.putByte(NULL);
            case Value.Int(long number) -> wire.putByte(INTEGER).putLong(number);
            case Value.Real(double number) -> wire.putByte(REAL).putDouble(number);
            case Value.Text(String text) -> wire.putByte(TEXT).putText(text);
            case Value.Blob blob -> {
                ByteBuffer bytes = blob.bytes();
                byte[] copy = new byte[bytes.remaining()];
                bytes.get(copy);
                wire.putByte(BLOB).putBytes(copy, copy.length);
            }
        }
    }

    static Value value(Wire wire) {
        return value(wire, _ -> {});
    }

    /// @param reserve called with the length of a text or blob before its bytes are read
    static Value value(Wire wire, java.util.function.IntConsumer reserve) {
        int type = wire.getByte();
        return switch (type) {
            case NULL -> Value.Null.NULL;
            case INTEGER -> new Value.Int(wire.getLong());
            case REAL -> new Value.Real(wire.getDouble());
            case TEXT, BLOB -> {
                int length = wire.getInt();
                try {
                    reserve.accept(length);
                } catch (PerigeeException e) {
                    wire.skip(length);
                    throw e;
                }
                yield type == TEXT
                        ? new Value.Text(wire.getText(length))
                        : new Value.Blob(ByteBuffer.wrap(wire.getBytes(length)));
            }
            default -> throw new IllegalStateException("no value begins with " + type);
        };
    }

    /// Skips a value.
    static void skipValue(Wire wire) {
        switch (wire.getByte()) {
            case INTEGER, REAL -> wire.skip(Long.BYTES);
            case TEXT, BLOB -> wire.skip(wire.getInt());
            default -> {}
        }
    }

    /// Sends a cell as SQLite has it, without making a string of it.
    ///
    /// @param spare an array to copy through
    /// @return the array to use for the next cell
    static byte[] putCell(Wire wire, SqliteStatement statement, int column, byte[] spare) {
        switch (statement.type(column)) {
            case NULL -> wire.putByte(NULL);
            case INTEGER -> wire.putByte(INTEGER).putLong(statement.intAt(column));
            case REAL -> wire.putByte(REAL).putDouble(statement.realAt(column));
            case TEXT -> {
                return putBytes(wire.putByte(TEXT), statement, column, spare);
            }
            case BLOB -> {
                return putBytes(wire.putByte(BLOB), statement, column, spare);
            }
        }
        return spare;
    }

    private static byte[] putBytes(Wire wire, SqliteStatement statement, int column, byte[] spare) {
        byte[] bytes = statement.bytesAt(column, spare);
        wire.putBytes(bytes, statement.lengthAt(column));
        return bytes;
    }

    static void putTexts(Wire wire, List<String> texts) {
        wire.putInt(texts.size());
        texts.forEach(wire::putText);
    }

    static List<String> texts(Wire wire) {
        return list(wire, Wire::getText);
    }

    static <T> List<T> list(Wire wire, Function<Wire, T> element) {
        int size = wire.getInt();
        List<T> list = new ArrayList<>(size);
        for (int i = 0; i < size; i++) list.add(element.apply(wire));
        return list;
    }

    static <T> void putMap(Wire wire, Map<String, T> map, BiConsumer<Wire, T> element) {
        wire.putInt(map.size());
        map.forEach((name, value) -> element.accept(wire.putText(name), value));
    }

    static <T> Map<String, T> map(Wire wire, Function<Wire, T> element) {
        int size = wire.getInt();
        Map<String, T> map = HashMap.newHashMap(size);
        for (int i = 0; i < size; i++) {
            String name = wire.getText();
            map.put(name, element.apply(wire));
        }
        return map;
    }

    static void putStatements(
            Wire wire, Caller caller, boolean isPoliced, boolean isAsking, List<StatementCall> calls) {
        wire.putByte(caller.role().ordinal()).putBoolean(isPoliced).putBoolean(isAsking);
        wire.putBoolean(caller.subject().isPresent());
        caller.subject().ifPresent(wire::putText);
        putMap(wire, caller.claims(), (w, claim) -> putValue(w, CallerFunctions.value(claim)));
        wire.putInt(calls.size());
        for (StatementCall call : calls) {
            wire.putText(call.sql());
            wire.putInt(call.positional().size());
            call.positional().forEach(value -> putValue(wire, value));
            putMap(wire, call.named(), WorkerProtocol::putValue);
        }
    }

    /// @param caller its claims are [Value]s
    /// @param isAsking whether [Tag#READS] waits for the server's answer
    record Statements(Caller caller, boolean isPoliced, boolean isAsking, List<StatementCall> calls) {}

    static Statements statements(Wire wire) {
        Caller.Role role = Caller.Role.values()[wire.getByte()];
        boolean isPoliced = wire.getBoolean();
        boolean isAsking = wire.getBoolean();
        Optional<String> subject = wire.getBoolean() ? Optional.of(wire.getText()) : Optional.empty();
        Caller caller = new Caller(role, subject, Map.copyOf(map(wire, WorkerProtocol::value)));
        List<StatementCall> calls = list(
                wire,
                w -> new StatementCall(
                        w.getText(),
                        list(w, WorkerProtocol::value),
                        map(w, WorkerProtocol::value),
                        Where.INTERNAL,
                        caller,
                        false));
        return new Statements(caller, isPoliced, isAsking, calls);
    }

    static void putFault(Wire wire, PerigeeException e) {
        wire.putText(e.fault().name()).putText(e.getMessage());
    }

    static PerigeeException fault(Wire wire) {
        Fault fault = Fault.valueOf(wire.getText());
        return fault.saying(wire.getText());
    }
}
