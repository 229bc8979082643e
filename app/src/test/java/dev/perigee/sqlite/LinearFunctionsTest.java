package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.PerigeeException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The functions that stand in for SQLite's give what SQLite's give, and end.
class LinearFunctionsTest {
    /// Few different bytes, so that things are found; half characters and zeros among them.
    private static final byte[] BYTES = {
        'a',
        'a',
        'b',
        'A',
        '1',
        '0',
        ' ',
        (byte) 0xc3,
        (byte) 0xa9,
        (byte) 0xe2,
        (byte) 0x82,
        (byte) 0xac,
        (byte) 0xf0,
        (byte) 0xff,
        0
    };

    private final SqliteConnection own = SqliteConnection.openInMemory();
    private final SqliteConnection bounded = SqliteConnection.openInMemory();

    LinearFunctionsTest() {
        bounded.boundFunctions();
    }

    @AfterEach
    void close() {
        own.close();
        bounded.close();
    }

    @Test
    void whatever_the_arguments_are_the_result_is_sqlite_s() {
        Random random = new Random(7);
        List<String> calls = List.of(
                "instr(?1, ?2)",
                "replace(?1, ?2, ?3)",
                "trim(?1, ?2)",
                "ltrim(?1, ?2)",
                "rtrim(?1, ?2)",
                "unhex(?1, ?2)",
                "instr(CAST(?1 AS TEXT), CAST(?2 AS TEXT))",
                "replace(CAST(?1 AS TEXT), CAST(?2 AS TEXT), CAST(?3 AS TEXT))",
                "trim(CAST(?1 AS TEXT), CAST(?2 AS TEXT))",
                "unhex(CAST(?1 AS TEXT), CAST(?2 AS TEXT))");
        for (String call : calls) {
            String sql = "SELECT typeof(r), quote(r), hex(r) FROM (SELECT %s AS r)".formatted(call);
            try (SqliteStatement first = own.prepare(sql);
                    SqliteStatement second = bounded.prepare(sql)) {
                for (int i = 0; i < 3000; i++) {
                    Value[] arguments = {value(random, 12), value(random, 3), value(random, 4)};
                    assertThat(result(second, arguments))
                            .as("%s of %s", call, List.of(arguments))
                            .isEqualTo(result(first, arguments));
                }
            }
        }
    }

    private static Value value(Random random, int maxBytes) {
        byte[] bytes = new byte[random.nextInt(maxBytes + 1)];
        for (int i = 0; i < bytes.length; i++) bytes[i] = BYTES[random.nextInt(BYTES.length)];
        return switch (random.nextInt(12)) {
            case 0 -> Value.Null.NULL;
            case 1 -> new Value.Int(random.nextInt(200));
            case 2 -> new Value.Real(random.nextInt(20) / 2.0);
            case 3, 4, 5, 6, 7 ->
                new Value.Text("aab1é€ 0".substring(random.nextInt(8)).repeat(random.nextInt(3)));
            default -> new Value.Blob(ByteBuffer.wrap(bytes));
        };
    }

    private static String result(SqliteStatement statement, Value[] arguments) {
        for (int i = 0; i < statement.parameterCount(); i++) statement.bind(i + 1, arguments[i]);
        statement.step();
        String result = statement.textAt(0) + " " + statement.textAt(1) + " " + statement.textAt(2);
        statement.reset();
        return result;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "instr(a||a, a||'b')",
                "instr(CAST(a||a AS BLOB), CAST(a||'b' AS BLOB))",
                "replace(a||a, a||'b', '')",
                "trim(a, replace(a, 'a', 'b')||'a')",
                "ltrim(a, replace(a, 'a', 'b')||'a')",
                "rtrim(a, replace(a, 'a', 'b')||'a')",
                "unhex(replace(a, 'a', ' '), replace(a, 'a', 'b')||' ')"
            })
    void what_would_take_hours_fails_soon_and_says_why(String call) {
        // Small enough that SQLite's own functions are done in a minute.
        String sql = "WITH t(a) AS MATERIALIZED (SELECT replace(hex(zeroblob(50000)), '0', 'a')) SELECT %s FROM t"
                .formatted(call);
        long begin = System.nanoTime();
        try (SqliteStatement statement = bounded.prepare(sql)) {
            assertThatThrownBy(statement::step)
                    .isInstanceOf(SqliteException.class)
                    .cause()
                    .isInstanceOf(PerigeeException.class)
                    .hasMessageContaining("needs more comparisons than a statement may make");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void ordinary_work_on_large_text_is_done() {
        String sql = """
                WITH t(a) AS (SELECT replace(hex(zeroblob(2000000)), '00', 'ab '))
                SELECT instr(a, 'abc'), instr(a || 'x', 'x'), length(replace(a, 'ab', 'cde')), length(trim(a, ' ')) FROM t""";
        try (SqliteStatement statement = bounded.prepare(sql)) {
            statement.step();
            assertThat(statement.intAt(0)).isZero();
            assertThat(statement.intAt(1)).isEqualTo(6_000_001);
            assertThat(statement.intAt(2)).isEqualTo(8_000_000);
            assertThat(statement.intAt(3)).isEqualTo(5_999_999);
        }
    }

    @Test
    void a_result_past_the_limit_is_refused_before_it_is_made() {
        bounded.limit(SqliteLimit.LENGTH, 1_000_000);
        try (SqliteStatement statement = bounded.prepare(
                "WITH t(a) AS (SELECT hex(zeroblob(400000))) SELECT length(replace(a, '0', a)) FROM t")) {
            assertThatThrownBy(statement::step).hasMessageContaining("string or blob too big");
        }
    }
}
