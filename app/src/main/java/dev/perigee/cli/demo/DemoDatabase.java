package dev.perigee.cli.demo;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/// The demo's PostgreSQL with its shop, and nobody who shops: for commands that need a real source of their own.
public final class DemoDatabase implements AutoCloseable {
    private final DemoFolder folder;
    private final DemoPostgres postgres;

    private DemoDatabase(DemoFolder folder, DemoPostgres postgres) {
        this.folder = folder;
        this.postgres = postgres;
    }

    /// Starts the server, and fills the shop if it is empty.
    ///
    /// @param path the folder that holds the server's data, as in [DemoCommand]
    /// @throws dev.perigee.fault.PerigeeException if no PostgreSQL runs here; nothing is left open
    public static DemoDatabase start(Path path) {
        DemoFolder folder = DemoFolder.open(path);
        try {
            DemoDatabase database = new DemoDatabase(folder, DemoPostgres.start(folder));
            database.fill();
            return database;
        } catch (RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    private void fill() {
        try (Connection connection = postgres.connect()) {
            if (!Shop.isOpen(connection)) Shop.open(connection);
        } catch (SQLException e) {
            postgres.close();
            throw DemoPostgres.failed("filling the shop", e);
        }
    }

    public SourceConfig source() {
        return postgres.source();
    }

    public List<TableConfig> tables() {
        return Shop.TABLES.stream().map(Shop.Table::config).toList();
    }

    @Override
    public void close() {
        postgres.close();
        folder.close();
    }
}
