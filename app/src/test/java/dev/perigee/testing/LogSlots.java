package dev.perigee.testing;

import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// The replication slots and publications of a test's database. It cannot be dropped while it has slots.
public final class LogSlots {
    private LogSlots() {}

    /// Drops all slots, once nobody reads them.
    public static void dropAll(TestPostgres postgres) {
        await().ignoreExceptions().until(() -> {
            postgres.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()");
            return count(postgres) == 0;
        });
    }

    public static int count(TestPostgres postgres) {
        return number(postgres, "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()");
    }

    public static int publications(TestPostgres postgres) {
        return number(postgres, "SELECT count(*) FROM pg_publication");
    }

    private static int number(TestPostgres postgres, String sql) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
