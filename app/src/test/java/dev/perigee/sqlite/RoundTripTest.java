package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.doubles;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;
import static org.quicktheories.generators.SourceDSL.longs;
import static org.quicktheories.generators.SourceDSL.strings;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.quicktheories.core.Gen;

/// Any value that goes into a column without affinity comes out the same, however it is bound and read.
class RoundTripTest {
    private final SqliteConnection connection = SqliteConnection.openInMemory();
    private final SqliteStatement insert;
    private final SqliteStatement select;

    RoundTripTest() {
        connection.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        insert = connection.prepare("REPLACE INTO t VALUES (1, ?)");
        select = connection.prepare("SELECT v FROM t");
    }

    @AfterEach
    void close() {
        connection.close();
    }

    @Test
    void an_integer_comes_back_as_it_was() {
        qt().forAll(longs().all())
                .checkAssert(i -> assertThat(stored(new Value.Int(i))).isEqualTo(new Value.Int(i)));
        for (long edge : new long[] {Long.MIN_VALUE, -1, 0, 1, (1L << 53) + 1, Long.MAX_VALUE}) {
            assertThat(stored(new Value.Int(edge))).isEqualTo(new Value.Int(edge));
        }
    }

    @Test
    void a_real_comes_back_as_it_was() {
        qt().forAll(doubles().any())
                .assuming(d -> !Double.isNaN(d))
                .checkAssert(d -> assertThat(stored(new Value.Real(d))).isEqualTo(new Value.Real(d)));
    }

    @Test
    void a_text_comes_back_as_it_was_copied_or_static() {
        Gen<String> any = strings().allPossible().ofLengthBetween(0, 60).map(RoundTripTest::withoutHalfPairs);
        qt().forAll(any).checkAssert(text -> {
            assertThat(stored(new Value.Text(text))).isEqualTo(new Value.Text(text));
            assertThat(storedStatic(text)).isEqualTo(new Value.Text(text));
        });
    }

    @Test
    void a_blob_comes_back_as_it_was() {
        qt().forAll(lists().of(integers().between(0, 255)).ofSizeBetween(0, 300))
                .checkAssert(list -> {
                    Value.Blob blob = new Value.Blob(ByteBuffer.wrap(bytes(list)));
                    assertThat(stored(blob)).isEqualTo(blob);
                });
    }

    private Value stored(Value value) {
        insert.bind(1, value).run();
        return read();
    }

    private Value storedStatic(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8);
            insert.bindTextStatic(1, memory, 0, utf8.length).run();
            insert.clearBindings();
        }
        return read();
    }

    private Value read() {
        assertThat(select.step()).isTrue();
        Value value = select.valueAt(0);
        select.reset();
        return value;
    }

    /// The generator draws code units; halves of pairs are no text.
    private static String withoutHalfPairs(String text) {
        return text.codePoints()
                .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static byte[] bytes(List<Integer> list) {
        byte[] bytes = new byte[list.size()];
        for (int i = 0; i < bytes.length; i++) bytes[i] = list.get(i).byteValue();
        return bytes;
    }
}
