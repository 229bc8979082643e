package dev.perigee.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.Value;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchTest {
    @TempDir
    Path dir;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void what_was_put_is_read_and_bound(long seed) {
        var random = new Random(seed);
        int columns = 1 + random.nextInt(9);
        try (var batch = new Batch(columns, 200, 1 << 20);
                var connection =
                        SqliteConnection.open(dir.resolve("t.db"), Set.of(OpenFlag.READWRITE, OpenFlag.CREATE))) {
            String parameters = "?,".repeat(columns).substring(0, 2 * columns - 1);
            for (int round = 0; round < 3; round++) {
                batch.clear();
                List<Value> put = new ArrayList<>();
                while (!batch.isFull()) {
                    for (int i = 0; i < columns; i++) {
                        Value value = value(random);
                        put.add(value);
                        batch.put(value);
                    }
                    if (random.nextInt(10) == 0) {
                        batch.abandonRow();
                        put.subList(put.size() - columns, put.size()).clear();
                    } else {
                        batch.endRow();
                    }
                }
                List<Value> read = new ArrayList<>();
                List<Value> bound = new ArrayList<>();
                try (var statement = connection.prepare("SELECT " + parameters)) {
                    for (int row = 0; row < batch.rowCount(); row++) {
                        batch.bind(row, statement);
                        assertThat(statement.step()).isTrue();
                        for (int column = 0; column < columns; column++) {
                            read.add(batch.value(row, column));
                            bound.add(statement.valueAt(column));
                        }
                        statement.reset();
                    }
                }
                assertThat(read).isEqualTo(put);
                assertThat(bound).isEqualTo(put);
            }
        }
    }

    @Test
    void it_is_full_by_rows_and_by_bytes_and_wide_rows_are_fewer() {
        try (var byRows = new Batch(1, 2, 1000);
                var byBytes = new Batch(1, 1000, 10);
                var wide = new Batch(1600, 100_000, 1 << 20)) {
            fill(byRows);
            fill(byBytes);
            fill(wide);
            assertThat(byRows.rowCount()).isEqualTo(2);
            assertThat(byBytes.rowCount()).isEqualTo(2);
            assertThat(byBytes.byteCount()).isEqualTo(10);
            assertThat(wide.rowCount() * 1600L * 16).isLessThanOrEqualTo(Batch.MAX_CELL_BYTES);
        }
    }

    @Test
    void a_row_larger_than_the_limit_is_taken_whole_and_its_memory_given_back() {
        byte[] large = new byte[5 << 20];
        large[large.length - 1] = 7;
        try (var batch = new Batch(2, 10, 1000)) {
            batch.putBlob(large, 0, large.length);
            batch.putInt(Long.MIN_VALUE);
            batch.endRow();
            assertThat(batch.isFull()).isTrue();
            assertThat(batch.value(0, 0)).isEqualTo(new Value.Blob(ByteBuffer.wrap(large)));
            assertThat(batch.value(0, 1)).isEqualTo(new Value.Int(Long.MIN_VALUE));
            batch.clear();
            assertThat(batch.rowCount()).isZero();
            assertThat(batch.byteCount()).isZero();
        }
    }

    @Test
    void misuse_is_named() {
        var batch = new Batch(2, 10, 1000);
        batch.putNull();
        assertThatThrownBy(batch::endRow).hasMessage("a row of 2 cells ended after 1");
        batch.putText("");
        assertThatThrownBy(batch::putNull).hasMessage("a row of 2 cells got one more");
        assertThatThrownBy(() -> batch.putReal(Double.NaN)).hasMessageContaining("NaN");
        batch.endRow();
        assertThatThrownBy(() -> batch.value(1, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        batch.close();
        batch.close();
        assertThatThrownBy(batch::putNull).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> batch.value(0, 0)).isInstanceOf(IllegalStateException.class);
    }

    private static void fill(Batch batch) {
        while (!batch.isFull()) {
            for (int i = 0; i < batch.columns(); i++) batch.putText("12345");
            batch.endRow();
        }
    }

    private static Value value(Random random) {
        return switch (random.nextInt(5)) {
            case 0 -> Value.Null.NULL;
            case 1 -> new Value.Int(random.nextLong());
            case 2 -> new Value.Real(random.nextGaussian() * Math.pow(10, random.nextInt(300)));
            case 3 -> new Value.Text("é\uD83D\uDE00 ".repeat(random.nextInt(60)));
            default -> {
                byte[] bytes = new byte[random.nextInt(3) * random.nextInt(2000)];
                random.nextBytes(bytes);
                yield new Value.Blob(ByteBuffer.wrap(bytes));
            }
        };
    }
}
