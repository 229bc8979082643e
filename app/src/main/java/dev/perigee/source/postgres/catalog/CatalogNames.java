package dev.perigee.source.postgres.catalog;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.jdbc.PgConnection;

/// Makes statements on the catalog leave out names that are not UTF-8. Such names exist only in a database that does
/// not know its encoding (`SQL_ASCII`); a single one would make the whole answer of a statement fail.
public final class CatalogNames {
    /// Matches UTF-8 that is written in hexadecimal digits.
    private static final String UTF8 = "^([0-7].|(c[2-9a-f]|d.)[89ab].|e0[ab].[89ab].|(e[1-9abcef])([89ab].){2}"
            + "|ed[89].[89ab].|f0[9ab].([89ab].){2}|f[1-3]([89ab].){3}|f48.([89ab].){2})*$";

    private CatalogNames() {}

    /// Whether the database takes any bytes for text.
    public static boolean isUnchecked(Connection c) throws SQLException {
        return "SQL_ASCII".equals(c.unwrap(PgConnection.class).getParameterStatus("server_encoding"));
    }

    /// A condition that a name is UTF-8, so that it can be sent.
    static String isText(String name) {
        return "encode(convert_to(%s::text, 'SQL_ASCII'), 'hex') ~ '%s'".formatted(name, UTF8);
    }
}
