package dev.perigee.bench;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Bulk insert of `events` into a new SQLite file, in one transaction, without a journal: through Perigee's `sqlite`
/// room, and through `org.xerial:sqlite-jdbc` in batches.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// sqlite-jdbc gets faster for longer than we do: after 4 warm-ups it looked a third slower than it is.
@Warmup(iterations = 15)
@Measurement(iterations = 15)
@Fork(1)
public class InsertBench {
    static final ValueLayout.OfInt INT = JAVA_INT_UNALIGNED;
    static final ValueLayout.OfLong LONG = JAVA_LONG_UNALIGNED;
    static final ValueLayout.OfDouble DOUBLE = JAVA_DOUBLE_UNALIGNED;

    private static final int JDBC_BATCH = 1000;

    /// Rows per operation.
    @Param("200000")
    public int rowCount;

    private Events.Row[] rows = {};
    private Arena arena = Arena.ofShared();
    private MemorySegment packed = MemorySegment.NULL;
    private Path folder = Path.of("");
    private Path file = Path.of("");

    @Setup
    public void makeRows() throws IOException {
        Path memory = Path.of("/dev/shm");
        folder = Files.isWritable(memory)
                ? Files.createTempDirectory(memory, "perigee-bench")
                : Files.createTempDirectory("perigee-bench");
        file = folder.resolve("events.db");
        rows = Events.rows(rowCount);
        packed = Events.packed(rows, arena);
    }

    @Setup(Level.Iteration)
    public void removeFile() throws IOException {
        Files.deleteIfExists(file);
    }

    @TearDown
    public void cleanUp() throws IOException {
        Files.deleteIfExists(file);
        Files.deleteIfExists(folder);
        arena.close();
    }

    /// What a JDBC program does, done well: one statement, one transaction, batches.
    @Benchmark
    public void jdbcBatches() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate(Events.PRAGMAS);
                statement.executeUpdate(Events.CREATE);
            }
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement(Events.INSERT)) {
                int batched = 0;
                for (Events.Row row : rows) {
                    insert.setLong(1, row.id());
                    insert.setInt(2, row.accountId());
                    insert.setString(3, row.kind());
                    insert.setDouble(4, row.amount());
                    insert.setString(5, row.payload());
                    insert.setBoolean(6, row.flag());
                    insert.setString(7, row.createdAt());
                    insert.setString(8, row.updatedAt());
                    insert.addBatch();
                    if (++batched % JDBC_BATCH == 0) insert.executeBatch();
                }
                insert.executeBatch();
            }
            connection.commit();
        }
    }

    /// The same Java values through Perigee's binding.
    @Benchmark
    public void perigeeStrings() {
        try (SqliteConnection connection = begin();
                SqliteStatement insert = connection.prepare(Events.INSERT)) {
            for (Events.Row row : rows) {
                insert.bindInt(1, row.id());
                insert.bindInt(2, row.accountId());
                insert.bindText(3, row.kind());
                insert.bindReal(4, row.amount());
                insert.bindText(5, row.payload());
                insert.bindInt(6, row.flag() ? 1 : 0);
                insert.bindText(7, row.createdAt());
                insert.bindText(8, row.updatedAt());
                insert.run();
            }
            connection.exec("COMMIT");
        }
    }

    /// The way Perigee applies a batch: text stays where it arrived, off the heap.
    @Benchmark
    public void perigeeStatic() {
        try (SqliteConnection connection = begin();
                SqliteStatement insert = connection.prepare(Events.INSERT)) {
            MemorySegment from = packed;
            long at = 0;
            for (int row = 0; row < rowCount; row++) {
                insert.bindInt(1, from.get(LONG, at));
                insert.bindInt(2, from.get(INT, at + 8));
                insert.bindReal(4, from.get(DOUBLE, at + 12));
                insert.bindInt(6, from.get(INT, at + 20));
                at = bindText(insert, 3, from, at + 24);
                at = bindText(insert, 5, from, at);
                at = bindText(insert, 7, from, at);
                at = bindText(insert, 8, from, at);
                insert.run();
            }
            connection.exec("COMMIT");
        }
    }

    private static long bindText(SqliteStatement insert, int index, MemorySegment from, long at) {
        int length = from.get(INT, at);
        insert.bindTextStatic(index, from, at + 4, length);
        return at + 4 + length;
    }

    private SqliteConnection begin() {
        SqliteConnection connection = SqliteConnection.open(file, EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE));
        connection.exec(Events.PRAGMAS);
        connection.exec(Events.CREATE);
        connection.exec("BEGIN");
        return connection;
    }

    /// Runs all three in turn and prints medians and ratios.
    public static void main(String[] args) throws RunnerException {
        OptionsBuilder options = new OptionsBuilder();
        options.include(InsertBench.class.getName() + "\\.").shouldFailOnError(true);
        options.jvmArgs("-Xmx1g", "--enable-native-access=ALL-UNNAMED");
        if (args.length > 0) options.param("rowCount", args[0]);
        Collection<RunResult> results = new Runner(options.build()).run();
        Map<String, Double> rowsPerSecond = new TreeMap<>();
        for (RunResult result : results) {
            double medianMillis = result.getPrimaryResult().getStatistics().getPercentile(50);
            int rows = Integer.parseInt(result.getParams().getParam("rowCount"));
            rowsPerSecond.put(result.getPrimaryResult().getLabel(), rows / medianMillis * 1000);
        }
        double jdbc = rowsPerSecond.getOrDefault("jdbcBatches", Double.NaN);
        System.out.printf("%n%-16s %14s %8s   (median)%n", "insert", "rows/s", "ratio");
        rowsPerSecond.forEach((name, rate) -> System.out.printf("%-16s %,14.0f %7.2fx%n", name, rate, rate / jdbc));
    }
}
