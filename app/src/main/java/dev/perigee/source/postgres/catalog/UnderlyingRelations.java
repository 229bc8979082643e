package dev.perigee.source.postgres.catalog;

/// Parts of statements that ask the catalog what reading a relation goes through: the relations that a view reads and
/// the functions that it calls, through all views beneath it. `pg_depend` has these dependencies.
///
/// Functions whose bodies are texts hide what they read. A materialized view ends the search: what is beneath it shows
/// when it is refreshed.
final class UnderlyingRelations {
    private static final String OF_POLICIES = """
              UNION ALL
                SELECT 'pg_catalog.pg_policy'::regclass, p.oid FROM pg_catalog.pg_policy p
                WHERE b.class = 'pg_catalog.pg_class'::regclass AND p.polrelid = b.oid AND p.polcmd IN ('r', '*')
            """;

    private static final String BENEATH = """
            beneath (relation, class, oid) AS (
                SELECT c.oid, 'pg_catalog.pg_class'::regclass::oid, c.oid FROM pg_catalog.pg_class c WHERE %s
              UNION
                SELECT b.relation, d.refclassid, d.refobjid
                FROM beneath b
                CROSS JOIN LATERAL (
                    SELECT 'pg_catalog.pg_rewrite'::regclass::oid, r.oid
                    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
                    WHERE b.class = 'pg_catalog.pg_class'::regclass AND r.ev_class = b.oid AND r.ev_type = '1'
                  UNION ALL
                    SELECT b.class, b.oid WHERE b.class = 'pg_catalog.pg_proc'::regclass
                  %s
                ) AS by (class, oid)
                JOIN pg_catalog.pg_depend d ON d.classid = by.class AND d.objid = by.oid
                    AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass)
            )""";

    /// Texts `(relation, what)` that change when a function beneath the relation does something else.
    static final String FUNCTIONS = """
            SELECT b.relation, concat_ws(' ', 'function', p.oid, p.proowner, p.prosecdef, p.prosrc, p.probin,
                                         to_jsonb(p) -> 'prosqlbody', p.proconfig)
            FROM beneath b JOIN pg_catalog.pg_proc p ON p.oid = b.oid
            WHERE b.class = 'pg_catalog.pg_proc'::regclass""";

    /// One text for all values of `what`. Not `md5()`, which servers with certified cryptography (FIPS) refuse.
    static final String FINGERPRINT =
            "hashtextextended(string_agg(what, ' ' ORDER BY what COLLATE \"C\") COLLATE \"C\", 0)::text";

    private UnderlyingRelations() {}

    /// The member `beneath (relation, class, oid)` of a `WITH RECURSIVE`.
    ///
    /// @param relations a condition on `pg_class c`, for the relations that are asked about
    /// @param isPoliced whether to follow the policies for reading too
    static String beneath(String relations, boolean isPoliced) {
        return BENEATH.formatted(relations, isPoliced ? OF_POLICIES : "");
    }
}
