package dev.perigee.cli.demo;

import dev.perigee.config.TableConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/// The shop's tables, and how Perigee follows each.
final class Shop {
    /// One table of the shop.
    ///
    /// @param cursorColumn the cursor; its values are taken when a transaction begins, or while it runs
    /// @param key its primary key
    /// @param interval time between two syncs
    record Table(String name, String cursorColumn, List<String> key, Duration interval) {
        TableConfig config() {
            return TableConfig.of(name, cursorColumn, interval);
        }
    }

    static final List<Table> TABLES = List.of(
            new Table("customers", "updated_at", List.of("id"), Duration.ofSeconds(5)),
            new Table("products", "updated_at", List.of("id"), Duration.ofSeconds(3)),
            new Table("orders", "updated_at", List.of("id"), Duration.ofSeconds(1)),
            new Table("order_items", "updated_at", List.of("order_id", "line"), Duration.ofSeconds(2)),
            new Table("events", "id", List.of("id"), Duration.ofSeconds(1)));

    private Shop() {}

    static boolean isOpen(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery("SELECT to_regclass('public.events') IS NOT NULL")) {
            found.next();
            return found.getBoolean(1);
        }
    }

    /// Creates the tables and fills them, in one transaction: a shop that exists is complete.
    static void open(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(script("schema.sql"));
            statement.execute(script("rows.sql"));
            statement.execute(script("stamps.sql"));
            connection.commit();
            connection.setAutoCommit(true);
            statement.execute("ANALYZE");
        }
    }

    /// Rows of all tables now.
    static long rows(Connection connection) throws SQLException {
        long rows = 0;
        try (Statement statement = connection.createStatement()) {
            for (Table table : TABLES) {
                try (ResultSet count = statement.executeQuery("SELECT count(*) FROM " + table.name())) {
                    count.next();
                    rows += count.getLong(1);
                }
            }
        }
        return rows;
    }

    private static String script(String name) {
        try (InputStream in = Objects.requireNonNull(Shop.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
