package dev.perigee.source.postgres.catalog;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.session.Capabilities;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.postgresql.jdbc.PgConnection;

/// A fingerprint of what decides which rows of a table our user sees. It covers the policies for reading, of the table
/// and of everything that it is read through, and their functions. It also covers the roles whose rights are checked,
/// with their memberships and settings. When it changes, rows may come into sight that nobody wrote.
///
/// Rows of other tables that a policy reads are not covered.
public final class RowVisibility {
    private static final String SELECT = """
            WITH RECURSIVE %s, role (oid) AS (
                SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
              UNION
                SELECT coalesce(c.relowner, p.proowner)
                FROM beneath b
                LEFT JOIN pg_catalog.pg_class c
                    ON b.class = 'pg_catalog.pg_class'::regclass AND c.oid = b.oid AND c.relkind = 'v'
                LEFT JOIN pg_catalog.pg_proc p ON b.class = 'pg_catalog.pg_proc'::regclass AND p.oid = b.oid
              UNION
                SELECT m.roleid FROM role JOIN pg_catalog.pg_auth_members m ON m.member = role.oid
            ), said (relation, what) AS (
                SELECT b.relation, concat_ws(' ', 'relation', c.oid, c.relowner, c.relrowsecurity,
                                             c.relforcerowsecurity, c.reloptions)
                FROM beneath b JOIN pg_catalog.pg_class c ON c.oid = b.oid AND c.relkind IN ('r', 'p', 'v')
                WHERE b.class = 'pg_catalog.pg_class'::regclass
              UNION ALL
                SELECT b.relation, concat_ws(' ', 'policy', p.polrelid, p.polpermissive, p.polroles, p.polqual)
                FROM beneath b JOIN pg_catalog.pg_policy p ON p.polrelid = b.oid AND p.polcmd IN ('r', '*')
                WHERE b.class = 'pg_catalog.pg_class'::regclass
              UNION ALL
                %s
              UNION ALL
                SELECT 0, concat_ws(' ', 'role', r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolinherit,
                                    r.rolname = current_user)
                FROM role JOIN pg_catalog.pg_roles r USING (oid)
              UNION ALL
                SELECT 0, concat_ws(' ', 'member', m.member, m.roleid, to_jsonb(m) -> 'inherit_option')
                FROM role JOIN pg_catalog.pg_auth_members m ON m.member = role.oid
              UNION ALL
                SELECT 0, concat_ws(' ', 'settings', %s)
            )
            SELECT %s FROM said""";

    /// Application settings (names with a dot) that the server has for our role or database. Their values are those of
    /// this session, which may have begun before a setting was last changed.
    private static final String SETTINGS = """
            (SELECT string_agg(concat(name, '=', value), ' ' ORDER BY name COLLATE "C")
             FROM (
                 SELECT name, CASE WHEN position('.' IN name) > 0 THEN current_setting(name, true) END AS value
                 FROM (
                     SELECT DISTINCT split_part(setting, '=', 1) AS name
                     FROM pg_catalog.pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS setting
                     WHERE s.setdatabase IN (
                         0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
                       AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))
                 ) named
             ) chosen WHERE value <> '')""";

    private static final String NAMED = """
            c.relname = ? AND c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = ?)""";

    private RowVisibility() {}

    /// Reads the fingerprint, in the session and the snapshot of the rows that it is about.
    public static String of(PgConnection session, Capabilities can, SourceTable table, SourceConfig config)
            throws SQLException {
        String sql = SELECT.formatted(
                UnderlyingRelations.beneath(NAMED, true),
                UnderlyingRelations.FUNCTIONS,
                can.orNull(session, SETTINGS),
                UnderlyingRelations.FINGERPRINT);
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            statement.setString(1, table.id().name());
            statement.setString(2, table.id().schema());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                String options = config.options().getOrDefault("options", "");
                return options.isEmpty() ? row.getString(1) : "%s %x".formatted(row.getString(1), options.hashCode());
            }
        }
    }
}
