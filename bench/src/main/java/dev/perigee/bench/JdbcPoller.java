package dev.perigee.bench;

import dev.perigee.hazards.Follower;
import dev.perigee.hazards.Hazard;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The peer: what most programs do that copy a table, `SELECT … WHERE cursor > ? ORDER BY cursor LIMIT n` and an upsert
/// into SQLite, page after page until one is not full. Values travel as the driver's own objects. It is a careful one:
/// rows and cursor are one SQLite transaction, so it loses nothing when it is cut off, and it remembers its cursor.
///
/// The composite one pages by `(cursor, key)`, which ties do not harm.
final class JdbcPoller implements Follower {
    private static final String TIMES = "?connectTimeout=3&socketTimeout=3&cancelSignalTimeout=1";

    /// Where it stands in a table; the key is used by the composite one only.
    private record Mark(Object cursor, Object key) {}

    private final Wiring wiring;
    private final List<Hazard.Table> tables;
    private final boolean isComposite;
    private final Connection copy;
    private final Map<String, Mark> marks = new HashMap<>();
    private @Nullable Runnable hook;

    private JdbcPoller(Wiring wiring, List<Hazard.Table> tables, boolean isComposite) throws SQLException {
        this.wiring = wiring;
        this.tables = tables;
        this.isComposite = isComposite;
        this.copy = DriverManager.getConnection("jdbc:sqlite:" + wiring.folder().resolve("copy.db"));
        copy.setAutoCommit(false);
        try (Statement statement = copy.createStatement()) {
            for (Hazard.Table table : tables) {
                statement.execute("CREATE TABLE \"%s\" (k TEXT PRIMARY KEY, v TEXT)".formatted(table.name()));
            }
        }
        copy.commit();
    }

    static Kind plain() {
        return (wiring, tables) -> new JdbcPoller(wiring, tables, false);
    }

    static Kind composite() {
        return (wiring, tables) -> new JdbcPoller(wiring, tables, true);
    }

    @Override
    public Optional<String> poll() throws SQLException {
        String url = "jdbc:postgresql://127.0.0.1:%d/%s%s".formatted(wiring.port(), wiring.database(), TIMES);
        try (Connection source = DriverManager.getConnection(url, "postgres", "postgres")) {
            for (Hazard.Table table : tables) {
                int rows = PAGE_ROWS;
                while (rows == PAGE_ROWS) {
                    rows = page(source, table);
                    Runnable once = hook;
                    hook = null;
                    if (once != null) once.run();
                }
            }
            return Optional.empty();
        } catch (SQLException e) {
            copy.rollback();
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    private int page(Connection source, Hazard.Table table) throws SQLException {
        Mark mark = marks.get(table.name());
        String order = isComposite ? "%s, %s".formatted(table.cursor(), table.key()) : table.cursor();
        String after = isComposite ? "WHERE (%s) > (?, ?)".formatted(order) : "WHERE %s > ?".formatted(order);
        String sql = "SELECT %s, %s, v FROM %s %s ORDER BY %s LIMIT %d"
                .formatted(table.cursor(), table.key(), table.name(), mark == null ? "" : after, order, PAGE_ROWS);
        Mark last = mark;
        int count = 0;
        try (PreparedStatement select = source.prepareStatement(sql);
                PreparedStatement upsert = copy.prepareStatement(
                        "INSERT INTO \"%s\" VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v"
                                .formatted(table.name()))) {
            if (mark != null) {
                select.setObject(1, mark.cursor());
                if (isComposite) select.setObject(2, mark.key());
            }
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    upsert.setString(1, rows.getString(2));
                    upsert.setString(2, rows.getString(3));
                    upsert.addBatch();
                    count++;
                    if (rows.getObject(1) != null) last = new Mark(rows.getObject(1), rows.getObject(2));
                }
            }
            upsert.executeBatch();
        }
        copy.commit();
        if (last != null) marks.put(table.name(), last);
        return count;
    }

    @Override
    public Map<String, String> rows(Hazard.Table table) throws SQLException {
        Map<String, String> rows = new HashMap<>();
        try (Statement statement = copy.createStatement();
                ResultSet row = statement.executeQuery("SELECT k, v FROM \"%s\"".formatted(table.name()))) {
            while (row.next()) rows.put(row.getString(1), row.getString(2));
        }
        return rows;
    }

    @Override
    public Optional<Promise> promise(Hazard.Table table) {
        return Optional.empty();
    }

    @Override
    public void onNextPage(Runnable once) {
        hook = once;
    }

    /// Nothing is lost by it: see above.
    @Override
    public void restart() {}

    @Override
    public boolean healed() {
        return false;
    }

    @Override
    public void close() throws SQLException {
        copy.close();
    }
}
