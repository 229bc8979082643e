package dev.perigee.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;

/// The peer: how a careful Java program copies `events` today, a pgjdbc cursor into sqlite-jdbc batches, in WAL mode.
///
/// Arguments: JDBC URL of the source, file to write. Fetches 10 000 rows at a time, commits every 1000.
public final class JdbcCopy {
    private static final int FETCH_ROWS = 10_000;
    private static final int BATCH_ROWS = 1_000;

    private JdbcCopy() {}

    public static void main(String[] args) throws SQLException {
        long start = System.nanoTime();
        try (Connection source = DriverManager.getConnection(args[0]);
                Connection target = DriverManager.getConnection("jdbc:sqlite:" + args[1])) {
            source.setAutoCommit(false);
            try (Statement setup = target.createStatement()) {
                setup.execute("PRAGMA journal_mode=wal");
                setup.execute("PRAGMA synchronous=normal");
                setup.execute("""
                        CREATE TABLE events(id INTEGER PRIMARY KEY, account_id INTEGER, kind TEXT, amount TEXT,
                            payload TEXT, flag INTEGER, created_at TEXT, updated_at TEXT)""");
            }
            target.setAutoCommit(false);
            long rowCount = copy(source, target);
            System.out.printf(Locale.ROOT, "rows=%d ms=%d%n", rowCount, (System.nanoTime() - start) / 1_000_000);
        }
    }

    private static long copy(Connection source, Connection target) throws SQLException {
        long rowCount = 0;
        try (Statement select = source.createStatement();
                PreparedStatement insert = target.prepareStatement("INSERT INTO events VALUES (?,?,?,?,?,?,?,?)")) {
            select.setFetchSize(FETCH_ROWS);
            try (ResultSet rows = select.executeQuery(
                    "SELECT id, account_id, kind, amount, payload, flag, created_at, updated_at FROM events")) {
                while (rows.next()) {
                    insert.setLong(1, rows.getLong(1));
                    insert.setInt(2, rows.getInt(2));
                    insert.setString(3, rows.getString(3));
                    insert.setString(4, rows.getBigDecimal(4).toPlainString());
                    insert.setString(5, rows.getString(5));
                    insert.setBoolean(6, rows.getBoolean(6));
                    insert.setString(7, rows.getTimestamp(7).toInstant().toString());
                    insert.setString(8, rows.getTimestamp(8).toInstant().toString());
                    insert.addBatch();
                    if (++rowCount % BATCH_ROWS == 0) {
                        insert.executeBatch();
                        target.commit();
                    }
                }
            }
            insert.executeBatch();
            target.commit();
        }
        return rowCount;
    }
}
