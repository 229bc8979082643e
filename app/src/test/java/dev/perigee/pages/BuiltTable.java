package dev.perigee.pages;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.batch.Batch;
import dev.perigee.sqlite.Affinity;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A table `t` with columns `c0`, `c1` and so on, in two databases: one filled by [TableBuilder], one by SQLite.
///
/// @param autoVacuum the setting of both databases
record BuiltTable(Path folder, int pageBytes, List<Column> columns, int rowidColumn, String autoVacuum) {
    BuiltTable(Path folder, int pageBytes, List<Column> columns, int rowidColumn) {
        this(folder, pageBytes, columns, rowidColumn, "NONE");
    }

    /// @param declaredType as in a copy's definition; empty for none
    record Column(String declaredType, boolean isNotNull) {}

    /// Rows in a batch; small, so that tables come in several batches.
    private static final int BATCH_ROWS = 50;

    /// The same with the pointer map of auto-vacuum.
    BuiltTable mapped() {
        return new BuiltTable(folder, pageBytes, columns, rowidColumn, "FULL");
    }

    Path built() {
        return folder.resolve("built.db");
    }

    Path inserted() {
        return folder.resolve("inserted.db");
    }

    /// Makes both databases, with an empty table.
    ///
    /// @return the number of the table's root page
    long create() {
        String body = IntStream.range(0, columns.size())
                .mapToObj(i -> "c%d %s%s%s"
                        .formatted(
                                i,
                                columns.get(i).declaredType(),
                                i == rowidColumn ? " PRIMARY KEY" : "",
                                columns.get(i).isNotNull() ? " NOT NULL" : ""))
                .collect(Collectors.joining(", "));
        for (Path path : List.of(built(), inserted())) {
            try (SqliteConnection connection = open(path)) {
                connection.exec(
                        "PRAGMA auto_vacuum = %s; PRAGMA page_size = %d; PRAGMA journal_mode = OFF; CREATE TABLE t (%s)"
                                .formatted(autoVacuum, pageBytes, body));
            }
        }
        try (SqliteConnection connection = open(built());
                SqliteStatement root = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 't'")) {
            assertThat(root.step()).isTrue();
            return root.intAt(0);
        }
    }

    TableBuilder builder(long root) {
        List<TableShape.Column> shape = columns.stream()
                .map(column -> new TableShape.Column(Affinity.of(column.declaredType()), column.isNotNull()))
                .toList();
        return new TableBuilder(built(), new TableShape(shape, rowidColumn), root);
    }

    /// Fills both tables with the rows, which the builder must take.
    void fill(List<List<Value>> rows) {
        long root = create();
        try (TableBuilder builder = builder(root);
                SqliteConnection connection = open(inserted())) {
            String parameters = "?,".repeat(columns.size());
            SqliteStatement insert = connection.prepare(
                    "INSERT INTO t VALUES (%s)".formatted(parameters.substring(0, parameters.length() - 1)));
            connection.exec("BEGIN");
            for (int from = 0; from < rows.size(); from += BATCH_ROWS) {
                List<List<Value>> part = rows.subList(from, Math.min(rows.size(), from + BATCH_ROWS));
                try (Batch batch = batch(part)) {
                    for (int row = 0; row < batch.rowCount(); row++) {
                        assertThat(builder.add(batch, row)).isTrue();
                        batch.bind(row, insert);
                        insert.run();
                    }
                }
            }
            connection.exec("COMMIT");
            builder.finish();
        }
    }

    Batch batch(List<List<Value>> rows) {
        Batch batch = new Batch(columns.size(), BATCH_ROWS, 1 << 20);
        for (List<Value> row : rows) {
            row.forEach(batch::put);
            batch.endRow();
        }
        return batch;
    }

    /// SQLite's integrity check finds nothing, and both tables have the same rows, value by value and type by type.
    void check() {
        assertThat(texts(built(), "PRAGMA integrity_check")).containsExactly("ok");
        checkRows();
    }

    void checkRows() {
        for (String seen : List.of("typeof", "quote")) {
            String values = IntStream.range(0, columns.size())
                    .mapToObj((seen + "(c%d)")::formatted)
                    .collect(Collectors.joining(", "));
            String all = "SELECT %s FROM t ORDER BY rowid".formatted(values);
            assertThat(texts(built(), all)).isEqualTo(texts(inserted(), all));
        }
        String rowids = "SELECT rowid FROM t ORDER BY rowid";
        assertThat(texts(built(), rowids)).isEqualTo(texts(inserted(), rowids));
    }

    /// @return the values of each row, joined
    static List<String> texts(Path database, String sql) {
        List<String> texts = new ArrayList<>();
        try (SqliteConnection connection = open(database);
                SqliteStatement select = connection.prepare(sql)) {
            while (select.step()) {
                texts.add(IntStream.range(0, select.columnCount())
                        .mapToObj(select::textAt)
                        .collect(Collectors.joining(",")));
            }
        }
        return texts;
    }

    static SqliteConnection open(Path database) {
        return SqliteConnection.open(database, EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE));
    }
}
