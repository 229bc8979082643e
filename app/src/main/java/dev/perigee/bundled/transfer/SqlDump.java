package dev.perigee.bundled.transfer;

import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Writes a database as SQL that stock `sqlite3` reads back to an equal one: tables with their rows, then indexes,
/// views and triggers, in one transaction. It writes one row at a time, so a table of any size needs little memory.
///
/// Perigee's own tables (`tmp_*`) are left out. Virtual tables are created again and their rows inserted, which fills
/// their shadow tables. Rowids of tables without an INTEGER PRIMARY KEY are not kept, as in `.dump`.
///
/// @see <a href="https://www.sqlite.org/cli.html">SQLite: the command line, section 10</a>
final class SqlDump {
    private static final String OWN = "name NOT LIKE 'tmp\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'tmp\\_%' ESCAPE '\\'";
    private static final int BUFFER_BYTES = 64 << 10;
    private static final HexFormat HEX = HexFormat.of();

    /// @param kind `table`, `virtual`, `view` or `shadow`
    record Table(String name, String kind, String sql) {}

    private static final int MANTISSA_BITS = 53;

    /// Exponent of the largest power of two whose decimal digits are still read exactly.
    private static final int MAX_STEP = 52;

    private final SqliteConnection connection;
    private final SqliteStatement read;
    private final OutputStream out;

    SqlDump(SqliteConnection connection, OutputStream out) {
        this.connection = connection;
        this.read = connection.prepare("SELECT CAST(?1 AS REAL)");
        this.out = new BufferedOutputStream(out, BUFFER_BYTES);
    }

    void write() throws IOException {
        line("PRAGMA foreign_keys=OFF;");
        line("BEGIN TRANSACTION;");
        for (Table table : tables(connection)) {
            if (table.kind().equals("shadow")) continue;
            line(table.sql() + ";");
            rows(table);
        }
        sequences();
        for (String sql : definitions("index")) line(sql + ";");
        for (String sql : definitions("view")) line(sql + ";");
        for (String sql : definitions("trigger")) line(sql + ";");
        for (String pragma : List.of("user_version", "application_id")) {
            try (SqliteStatement value = connection.prepare("PRAGMA " + pragma)) {
                if (value.step() && value.intAt(0) != 0) line("PRAGMA %s=%d;".formatted(pragma, value.intAt(0)));
            }
        }
        line("COMMIT;");
        read.close();
        out.flush();
    }

    /// The user's tables, in the order in which they were created.
    static List<Table> tables(SqliteConnection connection) {
        List<Table> tables = new ArrayList<>();
        try (SqliteStatement select = connection.prepare("""
                SELECT s.name, t.type, s.sql FROM sqlite_schema s JOIN pragma_table_list t ON t.name = s.name AND t.schema = 'main'
                WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' AND s.%s ORDER BY s.rowid""".formatted(OWN.replace(" tbl_name", " s.tbl_name")))) {
            while (select.step()) {
                tables.add(new Table(text(select, 0), text(select, 1), text(select, 2)));
            }
        }
        return tables;
    }

    /// The columns that `INSERT` takes: neither hidden nor generated.
    static List<String> columns(SqliteConnection connection, String table) {
        List<String> columns = new ArrayList<>();
        try (SqliteStatement select =
                connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid")) {
            select.bindText(1, table);
            while (select.step()) columns.add(text(select, 0));
        }
        return columns;
    }

    /// Writes a table's rows. A virtual table's rows keep their rowids, by which FTS5 finds the rows of its `content`
    /// table. If they cannot be read, because the table they come from is gone, the dump says so and continues.
    private void rows(Table table) throws IOException {
        List<String> columns = new ArrayList<>(columns(connection, table.name()));
        if (!table.kind().equals("virtual")) {
            rows(table.name(), columns);
            return;
        }
        if (columns.stream().noneMatch("rowid"::equalsIgnoreCase) && isReadable(table.name(), "rowid")) {
            columns.addFirst("rowid");
        }
        if (isReadable(table.name(), "*")) rows(table.name(), columns);
        else line("-- The rows of a virtual table could not be read; it will be empty.");
    }

    private boolean isReadable(String table, String columns) {
        try (SqliteStatement select =
                connection.prepare("SELECT %s FROM %s LIMIT 1".formatted(columns, SqlNames.quoted(table)))) {
            select.step();
            return true;
        } catch (PerigeeException _) {
            return false;
        }
    }

    private void rows(String table, List<String> columns) throws IOException {
        String names = columns.stream().map(SqlNames::quoted).collect(Collectors.joining(","));
        byte[] head = "INSERT INTO %s(%s) VALUES("
                .formatted(SqlNames.quoted(table), names)
                .getBytes(StandardCharsets.UTF_8);
        try (SqliteStatement select =
                connection.prepare("SELECT %s FROM %s".formatted(names, SqlNames.quoted(table)))) {
            while (select.step()) {
                out.write(head);
                for (int column = 0; column < columns.size(); column++) {
                    if (column > 0) out.write(',');
                    value(select, column);
                }
                line(");");
            }
        }
    }

    private void value(SqliteStatement row, int column) throws IOException {
        Type type = row.type(column);
        switch (type) {
            case NULL -> ascii("NULL");
            case INTEGER -> ascii(Long.toString(row.intAt(column)));
            case REAL -> ascii(real(row.realAt(column)));
            case TEXT -> text(bytes(row, column));
            case BLOB -> ascii("X'" + HEX.formatHex(bytes(row, column)) + "'");
        }
    }

    private static byte[] bytes(SqliteStatement row, int column) {
        return row.bytesAt(column, new byte[row.lengthAt(column)]);
    }

    /// Seventeen digits identify a double, but SQLite's parser reads some of them off by one bit. Such a number is
    /// written as an expression whose result is exactly that number.
    private String real(double number) {
        if (Double.isInfinite(number)) return number > 0 ? "9e999" : "-9e999";
        String digits = String.format(Locale.ROOT, "%.16e", number);
        return readsAs(digits, number) ? digits : exact(number);
    }

    private boolean readsAs(String digits, double number) {
        read.bindText(1, digits).step();
        boolean isSame = Double.doubleToRawLongBits(read.realAt(0)) == Double.doubleToRawLongBits(number);
        read.reset();
        return isSame;
    }

    /// The number as an expression: a whole number times or divided by powers of two.
    static String exact(double number) {
        int exponent = Math.max(Math.getExponent(number), Double.MIN_EXPONENT) - (MANTISSA_BITS - 1);
        long mantissa = (long) Math.scalb(number, -exponent);
        // Trailing zero bits are removed, so that no intermediate result is too small or too large to be exact.
        int zeros = mantissa == 0 ? 0 : Long.numberOfTrailingZeros(mantissa);
        mantissa >>= zeros;
        exponent += zeros;
        StringBuilder text = new StringBuilder("(" + mantissa + ".0");
        for (int left = exponent; left != 0; ) {
            int step = Math.min(Math.abs(left), MAX_STEP);
            text.append(left > 0 ? '*' : '/').append(1L << step).append(".0");
            left -= left > 0 ? step : -step;
        }
        return text.append(')').toString();
    }

    private void text(byte[] bytes) throws IOException {
        if (!isPlain(bytes)) {
            ascii("CAST(X'" + HEX.formatHex(bytes) + "' AS TEXT)");
            return;
        }
        out.write('\'');
        for (byte b : bytes) {
            if (b == '\'') out.write('\'');
            out.write(b);
        }
        out.write('\'');
    }

    /// Whether the text can be written as a literal. SQLite's parser ends at a zero byte, and a shell may change
    /// carriage returns and what is not UTF-8.
    private static boolean isPlain(byte[] bytes) {
        for (byte b : bytes) if (b == 0 || b == '\r') return false;
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException _) {
            return false;
        }
    }

    private void sequences() throws IOException {
        boolean hasAny;
        try (SqliteStatement select =
                connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'")) {
            hasAny = select.step();
        }
        if (!hasAny) return;
        // Perigee's own tables have sequences, too. If no other table has one, the database made from the dump has no
        // sqlite_sequence.
        try (SqliteStatement select =
                connection.prepare("SELECT name, seq FROM sqlite_sequence WHERE name NOT LIKE 'tmp\\_%' ESCAPE '\\'"
                        + " AND name IN (SELECT name FROM sqlite_schema WHERE type = 'table')")) {
            boolean isFirst = true;
            while (select.step()) {
                if (isFirst) line("DELETE FROM sqlite_sequence;");
                isFirst = false;
                ascii("INSERT INTO sqlite_sequence VALUES(");
                text(bytes(select, 0));
                line("," + select.intAt(1) + ");");
            }
        }
    }

    private List<String> definitions(String type) {
        List<String> definitions = new ArrayList<>();
        try (SqliteStatement select = connection.prepare(
                "SELECT sql FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL AND %s ORDER BY rowid"
                        .formatted(OWN))) {
            select.bindText(1, type);
            while (select.step()) definitions.add(text(select, 0));
        }
        return definitions;
    }

    private static String text(SqliteStatement row, int column) {
        return String.valueOf(row.textAt(column));
    }

    private void ascii(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void line(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.write('\n');
    }
}
