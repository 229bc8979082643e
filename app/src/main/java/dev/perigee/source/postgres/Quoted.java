package dev.perigee.source.postgres;

import dev.perigee.source.TableId;

/// Names as PostgreSQL reads them whatever they contain.
final class Quoted {
    private Quoted() {}

    static String name(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    static String table(TableId table) {
        return name(table.schema()) + "." + name(table.name());
    }
}
