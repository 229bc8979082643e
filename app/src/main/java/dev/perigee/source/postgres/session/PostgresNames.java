package dev.perigee.source.postgres.session;

import dev.perigee.source.TableId;

/// Writes names as PostgreSQL reads them, quoted, whatever characters they contain.
public final class PostgresNames {
    private PostgresNames() {}

    public static String name(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    public static String table(TableId table) {
        return name(table.schema()) + "." + name(table.name());
    }
}
