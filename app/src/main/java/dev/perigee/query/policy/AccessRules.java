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

/// What a caller's statement may access: the rules behind SQLite's authorizer. The compiler asks about every table,
/// column, pragma and function that it meets, also through views, triggers, UPSERT and foreign keys. So no way of
/// writing a statement gets around these rules.
public final class AccessRules {
    /// The prefix of Perigee's own tables, which clients can neither read nor write.
    private static final String OWN_PREFIX = "tmp_";

    /// Those of Perigee's own tables that an admin can change in SQL, as StarbaseDB's documentation does.
    private static final Set<String> OWN_FOR_ADMINS = Set.of(
            "tmp_allowlist_queries",
            "tmp_allowlist_rejections",
            "tmp_cache",
            "tmp_cron_tasks",
            "tmp_query_log",
            "tmp_rls_policies");

    /// Pragmas that only read, and whose argument names what to describe.
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

    /// Pragmas for admins only: they are slow, or reveal where files are.
    private static final Set<String> ADMIN_PRAGMAS = Set.of("database_list", "integrity_check", "quick_check");

    /// SQLite's own tables that callers may read. Its other ones would show data that no rule is asked about:
    /// `sqlite_dbpage` the bytes of the file, `sqlite_stmt` the statements of other callers.
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

    /// Decides whether `role` may do what SQLite's compiler asks about. The other arguments, up to `trigger`, are those
    /// of the callback of `sqlite3_set_authorizer`.
    ///
    /// @param writes whether the compiler has already asked about a write in this statement
    /// @param target the table that the statement itself writes to, if the compiler has already asked about it
    /// @return why it is refused; empty if it is allowed
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
        // The compiler asks about `CREATE TABLE temp.x` as about any table. It would hide the table x from all callers.
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
                yield forbidden("Virtual tables can be created and dropped by admins only.");
            }
            case AuthorizerAction.ANALYZE ->
                role == Role.ADMIN ? Optional.empty() : forbidden("ANALYZE is for admins only.");
            case AuthorizerAction.PRAGMA -> pragma(role, first.toLowerCase(Locale.ROOT), arg2);
            case AuthorizerAction.TRANSACTION, AuthorizerAction.SAVEPOINT ->
                invalid(
                        "%s is not available: a request is already a transaction; send its statements as \"transaction\"."
                                .formatted(first));
            case AuthorizerAction.ATTACH, AuthorizerAction.DETACH ->
                forbidden("ATTACH and DETACH are not available: other files cannot be opened.");
            default -> temporary();
        };
    }

    /// @param isLent whether a trigger or view reads, in a statement that writes. A client may have made it, to copy
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
                    "The table \"%s\" cannot be read by a trigger or view if the statement writes.".formatted(table));
        }
        return forbidden("The table \"%s\" is for admins only.".formatted(table));
    }

    private Optional<PerigeeException> write(Role role, String table, @Nullable String trigger) {
        if (isOwn(table)) {
            // A trigger runs with the rights of the caller that fires it, and a client may have made it. So no trigger
            // can write to these tables.
            boolean isAllowed =
                    role == Role.ADMIN && trigger == null && OWN_FOR_ADMINS.contains(table.toLowerCase(Locale.ROOT));
            return isAllowed ? Optional.empty() : forbidden(ownMessage(role, table));
        }
        Optional<Protection> protection = protectedTables.of(table);
        // A client may have made the trigger, whoever fires it.
        boolean isAllowed = role == Role.ADMIN
                && trigger == null
                && protection.filter(Protection::fromAdmins).isEmpty();
        if (protection.isEmpty() || isAllowed) return Optional.empty();
        return readOnly(table, protection.get());
    }

    /// @param changesTable whether the table itself is created, changed or dropped, and not its view, index or trigger
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
                // These functions serve Perigee's own tables, which clients cannot write.
                || role == Role.CLIENT && name.regionMatches(true, 0, "perigee_", 0, 8);
        return isHidden ? forbidden("The function %s is not available.".formatted(name)) : Optional.empty();
    }

    static boolean isOwn(String table) {
        return table.regionMatches(true, 0, OWN_PREFIX, 0, OWN_PREFIX.length());
    }

    private static String ownMessage(Role role, String table) {
        return role == Role.ADMIN
                ? "The table \"%s\" belongs to Perigee: names that begin with %s are reserved."
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
