package dev.perigee.source.postgres.session;

import dev.perigee.source.TableId;

/// Names as PostgreSQL reads them whatever they contain.
public final class PostgresNames {
    private PostgresNames() {}

    public static String name(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    public static String table(TableId table) {
        return name(table.schema()) + "." + name(table.name());
    }
}
