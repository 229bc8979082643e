package dev.perigee.query.policy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.plugin.host.ProtectedTables.Protection;
import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.statement.Caller.Role;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a caller's statement may touch. SQLite's compiler asks for every table, column, pragma and function it meets,
/// also through views, triggers, UPSERT and foreign keys, so no way of writing a statement gets around this.
public final class AccessRules {
    /// Perigee's own tables begin with it; clients neither read nor write any.
    private static final String OWN_PREFIX = "tmp_";

    /// Those an admin fills in SQL, as the original's documentation does.
    private static final Set<String> OWN_FOR_ADMINS = Set.of(
            "tmp_allowlist_queries",
            "tmp_allowlist_rejections",
            "tmp_cache",
            "tmp_cron_tasks",
            "tmp_query_log",
            "tmp_rls_policies");

    /// Pragmas whose argument names what to look at.
    private static final Set<String> LOOKING_PRAGMAS = Set.of(
            "foreign_key_check",
            "foreign_key_list",
            "index_info",
            "index_list",
            "index_xinfo",
            "table_info",
            "table_list",
            "table_xinfo");

    /// Pragmas that read a setting; with an argument they would change it.
    private static final Set<String> READING_PRAGMAS = Set.of(
            "application_id",
            "auto_vacuum",
            "cache_size",
            "collation_list",
            "compile_options",
            "data_version",
            "encoding",
            "foreign_keys",
            "freelist_count",
            "function_list",
            "journal_mode",
            "max_page_count",
            "module_list",
            "page_count",
            "page_size",
            "pragma_list",
            "recursive_triggers",
            "schema_version",
            "synchronous",
            "user_version");

    /// Slow, or telling where files are.
    private static final Set<String> ADMIN_PRAGMAS = Set.of("database_list", "integrity_check", "quick_check");

    /// The tables SQLite keeps for itself that callers may read. Others of its own would show what no rule is asked
    /// about: `sqlite_dbpage` the file's bytes, `sqlite_stmt` the statements of others.
    private static final Set<String> SQLITE_TABLES =
            Set.of("sqlite_master", "sqlite_schema", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4");

    private static final Set<Integer> CREATING = Set.of(
            AuthorizerAction.CREATE_TABLE,
            AuthorizerAction.CREATE_VIEW,
            AuthorizerAction.CREATE_INDEX,
            AuthorizerAction.CREATE_TRIGGER,
            AuthorizerAction.CREATE_VIRTUAL_TABLE);

    private static final Set<String> HIDDEN_MODULES = Set.of("bytecode", "dbstat", "tables_used");

    private final ProtectedTables protectedTables;

    public AccessRules(ProtectedTables protectedTables) {
        this.protectedTables = protectedTables;
    }

    /// Why `role` may not do this; empty when it may. The arguments are those of `sqlite3_set_authorizer`.
    ///
    /// @param writes whether the statement has been seen to write
    /// @param target the table that the statement itself writes to, seen so far
    public Optional<PerigeeException> refusal(
            Role role,
            int action,
            @Nullable String arg1,
            @Nullable String arg2,
            @Nullable String database,
            @Nullable String trigger,
            boolean writes,
            @Nullable String target) {
        String first = arg1 == null ? "" : arg1;
        String second = arg2 == null ? "" : arg2;
        // `CREATE TABLE temp.x` asks as for any table; it would hide the one of that name from everybody.
        if ("temp".equalsIgnoreCase(database) && CREATING.contains(action)) return temporary();
        return switch (action) {
            case AuthorizerAction.READ ->
                read(role, first, trigger != null && writes && !first.equalsIgnoreCase(target));
            case AuthorizerAction.SELECT, AuthorizerAction.RECURSIVE, AuthorizerAction.REINDEX -> Optional.empty();
            case AuthorizerAction.FUNCTION -> function(role, second);
            case AuthorizerAction.INSERT, AuthorizerAction.UPDATE, AuthorizerAction.DELETE ->
                write(role, first, trigger);
            case AuthorizerAction.CREATE_TABLE, AuthorizerAction.DROP_TABLE -> define(role, first, true);
            case AuthorizerAction.ALTER_TABLE -> define(role, second, true);
            case AuthorizerAction.CREATE_VIEW, AuthorizerAction.DROP_VIEW -> define(role, first, false);
            case AuthorizerAction.CREATE_INDEX,
                    AuthorizerAction.DROP_INDEX,
                    AuthorizerAction.CREATE_TRIGGER,
                    AuthorizerAction.DROP_TRIGGER ->
                isOwn(first) ? forbidden(ownMessage(role, first)) : define(role, second, false);
            case AuthorizerAction.CREATE_VIRTUAL_TABLE, AuthorizerAction.DROP_VIRTUAL_TABLE -> {
                if (role == Role.ADMIN) yield define(role, first, true);
                yield forbidden("Virtual tables are made and dropped by admins only.");
            }
            case AuthorizerAction.ANALYZE ->
                role == Role.ADMIN ? Optional.empty() : forbidden("ANALYZE is for admins only.");
            case AuthorizerAction.PRAGMA -> pragma(role, first.toLowerCase(Locale.ROOT), arg2);
            case AuthorizerAction.TRANSACTION, AuthorizerAction.SAVEPOINT ->
                invalid(
                        "%s is not available: a request is a transaction already; send its statements as \"transaction\"."
                                .formatted(first));
            case AuthorizerAction.ATTACH, AuthorizerAction.DETACH ->
                forbidden("ATTACH and DETACH are not available: other files are out of reach.");
            default -> temporary();
        };
    }

    /// @param isLent whether a trigger or view reads, in a statement that writes: it may be a client's, and would copy
    ///     with an admin's rights what the client may not read
    private static Optional<PerigeeException> read(Role role, String table, boolean isLent) {
        String folded = table.toLowerCase(Locale.ROOT);
        if (HIDDEN_MODULES.contains(folded) || folded.startsWith("sqlite_") && !SQLITE_TABLES.contains(folded)) {
            return forbidden("The table \"%s\" is not available.".formatted(table));
        }
        if (!isOwn(table)) return Optional.empty();
        if (role == Role.ADMIN) {
            if (!isLent) return Optional.empty();
            return forbidden(
                    "The table \"%s\" is not read by a trigger or view of a statement that writes.".formatted(table));
        }
        return forbidden("The table \"%s\" is for admins only.".formatted(table));
    }

    private Optional<PerigeeException> write(Role role, String table, @Nullable String trigger) {
        if (isOwn(table)) {
            // A trigger made by a client runs with the rights of whoever fires it, so triggers reach none of these.
            boolean isAllowed =
                    role == Role.ADMIN && trigger == null && OWN_FOR_ADMINS.contains(table.toLowerCase(Locale.ROOT));
            return isAllowed ? Optional.empty() : forbidden(ownMessage(role, table));
        }
        Optional<Protection> protection = protectedTables.of(table);
        // A trigger may be a client's, whoever fires it.
        boolean isAllowed = role == Role.ADMIN
                && trigger == null
                && protection.filter(Protection::fromAdmins).isEmpty();
        if (protection.isEmpty() || isAllowed) return Optional.empty();
        return readOnly(table, protection.get());
    }

    /// @param changesTable whether the table itself is made, changed or dropped, not something beside it
    private Optional<PerigeeException> define(Role role, String table, boolean changesTable) {
        if (isOwn(table)) return forbidden(ownMessage(role, table));
        Optional<Protection> protection = protectedTables.of(table);
        if (protection.isEmpty() || role == Role.ADMIN && !changesTable) return Optional.empty();
        return readOnly(table, protection.get());
    }

    private static Optional<PerigeeException> readOnly(String table, Protection protection) {
        return forbidden("The table \"%s\" is read-only: %s.".formatted(table, protection.reason()));
    }

    private static Optional<PerigeeException> pragma(Role role, String name, @Nullable String argument) {
        boolean isAllowed = LOOKING_PRAGMAS.contains(name)
                || argument == null && READING_PRAGMAS.contains(name)
                || role == Role.ADMIN && ADMIN_PRAGMAS.contains(name);
        if (isAllowed) return Optional.empty();
        return forbidden(
                "PRAGMA %s%s is not available to this token.".formatted(name, argument == null ? "" : " with a value"));
    }

    private static Optional<PerigeeException> function(Role role, String name) {
        boolean isHidden = name.equalsIgnoreCase("load_extension")
                || name.regionMatches(true, 0, "perigee_change_", 0, 15)
                // They serve Perigee's own tables, which clients do not write.
                || role == Role.CLIENT && name.regionMatches(true, 0, "perigee_", 0, 8);
        return isHidden ? forbidden("The function %s is not available.".formatted(name)) : Optional.empty();
    }

    static boolean isOwn(String table) {
        return table.regionMatches(true, 0, OWN_PREFIX, 0, OWN_PREFIX.length());
    }

    private static String ownMessage(Role role, String table) {
        return role == Role.ADMIN
                ? "The table \"%s\" is kept by Perigee: names that begin with %s are its own."
                        .formatted(table, OWN_PREFIX)
                : "The table \"%s\" is for admins only.".formatted(table);
    }

    private static Optional<PerigeeException> temporary() {
        return invalid("Temporary tables, views and triggers are not available: the next request would not find them.");
    }

    private static Optional<PerigeeException> forbidden(String text) {
        return Optional.of(Fault.FORBIDDEN.saying(text));
    }

    private static Optional<PerigeeException> invalid(String text) {
        return Optional.of(Fault.INVALID_REQUEST.saying(text));
    }
}
