package dev.perigee.pages;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.batch.Batch;
import dev.perigee.pages.BuiltTable.Column;
import dev.perigee.sqlite.Value;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableBuilderTest {
    private static final List<String> TYPES =
            List.of("INTEGER", "INT", "TEXT", "", "REAL", "BLOB", "BOOLEAN", "DECIMAL(12,2)");
    private static final List<Column> KEY_AND_BLOB = List.of(new Column("INTEGER", true), new Column("BLOB", false));

    /// Around each size at which an integer takes more bytes.
    private static final List<Long> EDGES = LongStream.of(
                    0, 1, 2, 0x7f, 0x7fff, 0x7fffff, 0x7fffffff, 0x7fffffffffffL, 1L << 53, Long.MAX_VALUE)
            .flatMap(edge -> LongStream.of(edge, edge + 1, -edge, -edge - 1, -edge - 2))
            .boxed()
            .toList();
    private static final List<Double> REALS = List.of(
            -0.0,
            0.5,
            -1.5,
            1e15,
            1e18,
            -1e18,
            0x1p53,
            0x1p62,
            0x1p63,
            -0x1p63,
            9223372036854774784.0,
            1e300,
            Double.MIN_VALUE,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            12345.67,
            0.1);

    @TempDir
    Path dir;

    static List<Integer> pageSizes() {
        return IntStream.rangeClosed(9, 16).map(bits -> 1 << bits).boxed().toList();
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void random_tables_are_those_that_sqlite_writes(long seed) {
        Random random = new Random(seed);
        int pageBytes = 1 << (9 + random.nextInt(8));
        List<Column> columns = new ArrayList<>();
        int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 200 : 10);
        for (int i = 0; i < count; i++)
            columns.add(new Column(TYPES.get(random.nextInt(TYPES.size())), random.nextInt(4) == 0));
        int rowidColumn = random.nextInt(count + 1) - 1;
        if (rowidColumn >= 0) columns.set(rowidColumn, new Column("INTEGER", true));
        BuiltTable table = new BuiltTable(dir, pageBytes, columns, rowidColumn);
        if (random.nextBoolean()) table = table.mapped();
        List<List<Value>> rows = new ArrayList<>();
        long rowid = random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(100) - 50;
        int rowCount = random.nextInt(random.nextBoolean() ? 10 : 2000);
        for (int row = 0; row < rowCount; row++) {
            List<Value> values = new ArrayList<>();
            for (int i = 0; i < count; i++)
                values.add(i == rowidColumn ? new Value.Int(rowid) : value(random, columns.get(i), pageBytes));
            rows.add(values);
            long next = rowid + 1 + (random.nextInt(5) == 0 ? random.nextInt(1 << 20) : 0);
            if (next < rowid) break;
            rowid = next;
        }
        table.fill(rows);
        table.check();
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 60);
    }

    /// The page of a table with one leaf has the same bytes, so SQLite has written the same records.
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"INTEGER", "INT", "TEXT", "", "REAL", "BLOB", "BOOLEAN", "DECIMAL(12,2)"})
    void records_have_the_bytes_of_those_that_sqlite_writes(String type) throws IOException {
        List<List<Value>> rows = new ArrayList<>();
        if (!type.equals("TEXT")) {
            EDGES.forEach(edge -> rows.add(List.of(new Value.Int(edge))));
            REALS.forEach(real -> rows.add(List.of(new Value.Real(real))));
        }
        for (String text : List.of("", "NaN", "Infinity", "-Infinity", "ä€𝄞", "12 monkeys"))
            rows.add(List.of(new Value.Text(text)));
        for (int length : new int[] {0, 1, 56, 57, 58, 59})
            rows.add(List.of(new Value.Blob(ByteBuffer.allocate(length))));
        rows.add(List.of(Value.Null.NULL));
        BuiltTable table = new BuiltTable(dir, 65536, List.of(new Column(type, false)), -1);
        table.fill(rows);
        table.check();
        assertThat(page(table.built(), 2)).isEqualTo(page(table.inserted(), 2));
    }

    @ParameterizedTest(name = "{0} columns")
    @ValueSource(ints = {1, 2, 125, 126, 127, 128, 1999, 2000})
    void headers_of_any_length_are_those_that_sqlite_writes(int count) {
        List<Column> columns =
                IntStream.range(0, count).mapToObj(_ -> new Column("", false)).toList();
        BuiltTable table = new BuiltTable(dir, 4096, columns, -1);
        table.fill(List.of(
                IntStream.range(0, count).<Value>mapToObj(_ -> Value.Null.NULL).toList(),
                IntStream.range(0, count)
                        .<Value>mapToObj(i -> new Value.Text("x".repeat(i % 90)))
                        .toList()));
        table.check();
    }

    @ParameterizedTest(name = "pages of {0}")
    @MethodSource("pageSizes")
    void records_of_any_length_are_split_where_sqlite_splits_them(int pageBytes) throws IOException {
        List<List<Value>> rows = new ArrayList<>();
        long id = 0;
        for (int pages = 0; pages < 4; pages++) {
            for (int around = -48; around <= 24; around++) {
                int length = pages * pageBytes + around;
                if (length < 0) continue;
                byte[] bytes = new byte[length];
                Arrays.fill(bytes, (byte) (id + 1));
                rows.add(List.of(new Value.Int(++id), new Value.Blob(ByteBuffer.wrap(bytes))));
            }
        }
        BuiltTable table = new BuiltTable(dir, pageBytes, KEY_AND_BLOB, 0);
        table.fill(rows);
        table.check();
        Files.delete(table.built());
        Files.delete(table.inserted());
        BuiltTable mapped = table.mapped();
        mapped.fill(rows);
        mapped.check();
    }

    /// Each number of leaves, so that each way of ending a level is met: with pages of 512 bytes an interior page takes
    /// about 60 children.
    @Test
    void tables_with_any_number_of_leaves_are_whole() throws IOException {
        for (int rowCount = 0; rowCount < 900; rowCount += rowCount < 10 || rowCount > 280 && rowCount < 320 ? 1 : 7)
            checkRows(rowCount, 230);
        for (int rowCount = 7000; rowCount < 8500; rowCount += 61) checkRows(rowCount, 230);
    }

    @Test
    void rows_out_of_order_and_rows_that_sqlite_would_refuse_are_left_out() {
        List<Column> columns =
                List.of(new Column("INTEGER", true), new Column("TEXT", true), new Column("REAL", false));
        BuiltTable table = new BuiltTable(dir, 4096, columns, 0);
        Value text = new Value.Text("x");
        Value real = new Value.Real(0.5);
        List<List<Value>> rows = List.of(
                List.of(new Value.Int(5), text, real),
                List.of(new Value.Int(5), text, real),
                List.of(new Value.Int(4), text, real),
                List.of(Value.Null.NULL, text, real),
                List.of(text, text, real),
                List.of(new Value.Int(6), Value.Null.NULL, real),
                List.of(new Value.Int(7), new Value.Int(1), real),
                List.of(new Value.Int(8), text, new Value.Text(" 1.5e3")),
                List.of(new Value.Int(9), text, Value.Null.NULL));
        long root = table.create();
        try (TableBuilder builder = table.builder(root);
                Batch batch = table.batch(rows)) {
            List<Integer> taken = IntStream.range(0, rows.size())
                    .filter(row -> builder.add(batch, row))
                    .boxed()
                    .toList();
            assertThat(taken).containsExactly(0, 8);
            assertThat(builder.rows()).isEqualTo(2);
            builder.finish();
        }
        assertThat(BuiltTable.texts(table.built(), "SELECT c0 FROM t")).containsExactly("5", "9");
        assertThat(BuiltTable.texts(table.built(), "PRAGMA integrity_check")).containsExactly("ok");
    }

    @Test
    void an_unfinished_table_is_empty() {
        BuiltTable table = new BuiltTable(dir, 512, KEY_AND_BLOB, 0);
        long root = table.create();
        List<List<Value>> rows = List.of(List.of(new Value.Int(1), new Value.Blob(ByteBuffer.allocate(3 << 20))));
        try (TableBuilder builder = table.builder(root);
                Batch batch = table.batch(rows)) {
            assertThat(builder.add(batch, 0)).isTrue();
        }
        assertThat(table.built().toFile().length()).isGreaterThan(1 << 20);
        assertThat(BuiltTable.texts(table.built(), "SELECT count(*) FROM t")).containsExactly("0");
        assertThat(BuiltTable.texts(table.built(), "PRAGMA integrity_check")).containsExactly("ok");
    }

    @ParameterizedTest(name = "pages of {0}")
    @MethodSource("pageSizes")
    void the_pages_of_the_pointer_map_are_where_sqlite_looks_for_them(int pageBytes) throws IOException {
        List<List<Value>> rows = new ArrayList<>();
        int rowCount = Math.min(400, (48 << 20) / pageBytes); // at least two pages of the map, except for the largest
        for (int id = 1; id <= rowCount; id++) {
            rows.add(List.of(new Value.Int(id), new Value.Blob(ByteBuffer.allocate(3 * pageBytes))));
        }
        BuiltTable table = new BuiltTable(dir, pageBytes, KEY_AND_BLOB, 0).mapped();
        table.fill(rows);
        table.check();
    }

    /// The file is sparse, and its pages before the first leaf belong to nobody. That is all the check complains about.
    @ParameterizedTest(name = "pages of {0}")
    @ValueSource(ints = {4096, 16384, 65536})
    void the_page_at_one_gibibyte_is_left_out(int pageBytes) {
        BuiltTable table = new BuiltTable(dir, pageBytes, KEY_AND_BLOB, 0);
        long lockPage = (1L << 30) / pageBytes + 1;
        long root = table.create();
        List<List<Value>> rows = new ArrayList<>();
        for (int id = 1; id <= 40; id++)
            rows.add(List.of(new Value.Int(id), new Value.Blob(ByteBuffer.allocate(pageBytes))));
        try (TableBuilder builder = table.builder(root);
                Batch batch = table.batch(rows)) {
            builder.skipTo(lockPage - 7);
            for (int row = 0; row < rows.size(); row++)
                assertThat(builder.add(batch, row)).isTrue();
            builder.finish();
        }
        assertThat(table.built().toFile().length()).isGreaterThan((1L << 30) + 30L * pageBytes);
        assertThat(BuiltTable.texts(table.built(), "PRAGMA integrity_check(1000000)").stream()
                        .flatMap(String::lines))
                .filteredOn(line -> !line.equals("*** in database main ***"))
                .allMatch(line -> line.matches("Page \\d+: never used"))
                .hasSize(Math.toIntExact(lockPage - 8 - 2));
        assertThat(BuiltTable.texts(table.built(), "SELECT c0 FROM t WHERE c1 = zeroblob(%d)".formatted(pageBytes)))
                .hasSize(40);
    }

    private void checkRows(int rowCount, int bytes) throws IOException {
        List<List<Value>> rows = new ArrayList<>();
        for (int id = 1; id <= rowCount; id++)
            rows.add(List.of(new Value.Int(id * 7L), new Value.Blob(ByteBuffer.allocate(bytes))));
        BuiltTable table = new BuiltTable(dir, 512, KEY_AND_BLOB, 0);
        if (rowCount % 2 == 0) table = table.mapped();
        table.fill(rows);
        table.check();
        Files.delete(table.built());
        Files.delete(table.inserted());
    }

    private static Value value(Random random, Column column, int pageBytes) {
        if (!column.isNotNull() && random.nextInt(8) == 0) return Value.Null.NULL;
        int longest = switch (random.nextInt(100)) {
            case 0 -> 3 * pageBytes;
            case 1, 2, 3 -> 300;
            default -> 20;
        };
        int kind = column.declaredType().equals("TEXT") ? 5 + random.nextInt(2) : random.nextInt(7);
        return switch (kind) {
            case 0 -> new Value.Int(EDGES.get(random.nextInt(EDGES.size())));
            case 1 -> new Value.Int(random.nextLong() >> random.nextInt(64));
            case 2 -> new Value.Real(REALS.get(random.nextInt(REALS.size())));
            case 3 -> new Value.Real(random.nextInt(100_000) / 100.0);
            case 4 -> new Value.Real(Math.rint(random.nextGaussian() * Math.pow(10, random.nextInt(20))));
            case 5 -> {
                byte[] bytes = new byte[random.nextInt(longest + 1)];
                random.nextBytes(bytes);
                yield new Value.Blob(ByteBuffer.wrap(bytes));
            }
            default -> new Value.Text("xä€".repeat(1 + random.nextInt(1 + Math.min(longest, 60) / 3)));
        };
    }

    private static ByteBuffer page(Path database, int number) throws IOException {
        try (FileChannel channel = FileChannel.open(database)) {
            ByteBuffer page = ByteBuffer.allocate(65536);
            channel.read(page, (number - 1) * 65536L);
            return page.flip();
        }
    }
}
