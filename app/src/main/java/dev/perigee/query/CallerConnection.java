package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.query.policy.AccessRules;
import dev.perigee.query.policy.Policies;
import dev.perigee.query.policy.Policing;
import dev.perigee.query.sql.ContextSpelling;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.sqlite.Authorizer;
import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteLimit;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Caller.Role;
import dev.perigee.store.ChangeObserver;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One of the store's connections, lent to callers' statements. They are prepared and run under [AccessRules], and kept
/// prepared for each role. For the thread that owns the connection.
///
/// The authorizer stays set and lets Perigee's own statements pass. If it were set again for each request, SQLite would
/// prepare every statement of the connection again. It also has to be set while a statement runs, because SQLite
/// prepares the statement again by itself when the schema has changed.
final class CallerConnection {
    /// The most statements that are kept prepared.
    private static final int MAX_STATEMENTS = 128;

    /// Longer statements are not kept, so that the memory of this cache is bounded.
    private static final int MAX_KEPT_CHARS = 8192;

    /// The longest text or blob that a caller's statement may make or read. SQLite builds values outside the heap,
    /// where no other limit of ours applies.
    static final int MAX_VALUE_BYTES = 64 << 20;

    private record Key(Role role, String sql) {}

    private record Kept(SqliteStatement statement, boolean usesViews, Set<String> copies) {}

    private final SqliteConnection connection;
    private final Supplier<ChangeObserver> observer;
    private final AccessRules rules;
    private final ProtectedTables protectedTables;
    private final LinkedHashMap<Key, Kept> statements = new LinkedHashMap<>(64, 0.75f, true);
    private long rulesVersion;
    private @Nullable Role role;
    private int maxOwnValueBytes;

    /// The statement prepared last: SQLite asks about it while it compiles it, and again when the schema has changed.
    private CallerStatement current = new CallerStatement("");

    private final CallerFunctions functions;
    private final Policing policing;
    private boolean isPoliced;
    private long policedSchema = -1;

    /// @param functions registers the plugins' functions on a connection
    /// @param observer gives the observer that follows writes now
    CallerConnection(
            SqliteConnection connection,
            ProtectedTables protectedTables,
            Consumer<SqliteConnection> functions,
            Supplier<ChangeObserver> observer) {
        this.observer = observer;
        this.connection = connection;
        this.rules = new AccessRules(protectedTables);
        this.protectedTables = protectedTables;
        this.functions = new CallerFunctions(connection);
        this.policing = new Policing(connection);
        NormalizedSql.register(connection);
        functions.accept(connection);
        connection.authorizer(this::authorize);
    }

    SqliteConnection connection() {
        return connection;
    }

    /// Rows that statements have changed so far, without those that the change observer's triggers have written.
    long changes() {
        return connection.totalChanges() - observer.get().rowsWritten();
    }

    Policing policing() {
        return policing;
    }

    /// Runs `work` with the rights of `caller`.
    ///
    /// @param policed whether row-level security applies to the caller
    /// @throws PerigeeException the refusal itself if a statement exceeded these rights
    <T> T as(Caller caller, boolean policed, Supplier<T> work) {
        this.role = caller.role();
        this.isPoliced = policed;
        functions.caller(caller);
        maxOwnValueBytes = connection.limit(SqliteLimit.LENGTH, MAX_VALUE_BYTES);
        try {
            return work.get();
        } catch (SqliteException e) {
            throw e.getCause() instanceof PerigeeException refusal ? refusal : e;
        } finally {
            connection.limit(SqliteLimit.LENGTH, maxOwnValueBytes);
            functions.caller(Caller.NOBODY);
            this.role = null;
            this.isPoliced = false;
        }
    }

    /// Runs `work` with Perigee's own rights, within the work of a caller.
    <T> T asPerigee(Supplier<T> work) {
        Role caller = role;
        role = null;
        int limitBefore = connection.limit(SqliteLimit.LENGTH, maxOwnValueBytes);
        try {
            return work.get();
        } finally {
            connection.limit(SqliteLimit.LENGTH, limitBefore);
            role = caller;
        }
    }

    /// Puts the policies in place, as the open transaction sees them. For a connection that only policed callers use.
    void police() {
        asPerigee(() -> {
            Policies now = Policies.read(connection);
            long schema = connection.schemaVersion();
            if (schema == policedSchema && now.equals(policing.policies())) return true;
            clear();
            policedSchema = -1;
            policing.remove();
            policing.install(now, _ -> true);
            policedSchema = schema;
            return true;
        });
    }

    /// Makes the connection read schema changes of other connections, by a step on the schema table.
    void lookAtSchema() {
        asPerigee(() -> {
            try (SqliteStatement look = connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1")) {
                return look.step();
            }
        });
    }

    /// Prepares a statement, or takes it from those that were kept. It has to be given back by [#release].
    ///
    /// @throws PerigeeException [Fault#FORBIDDEN] if its text contains a reserved name
    CallerStatement prepare(String sql) {
        long version = protectedTables.version();
        if (version != rulesVersion) {
            // What was allowed when a statement was prepared may no longer be allowed.
            clear();
            rulesVersion = version;
        }
        // A view or a WITH of such a name would be allowed everything. A query plan shows these names.
        String followers = observer.get().triggerPrefix();
        if (!followers.isEmpty() && SqlNames.folded(sql).contains(SqlNames.folded(followers))) {
            throw Fault.FORBIDDEN.saying("A name in the statement is not available.");
        }
        current = new CallerStatement(sql);
        Kept kept = statements.remove(key(sql));
        if (kept != null) return current.kept(kept.statement, kept.usesViews, kept.copies);
        return current.compiled(connection.prepare(ContextSpelling.rewritten(sql)));
    }

    /// To be called when a statement has been run.
    ///
    /// @throws PerigeeException [Fault#TOO_LARGE] if it made a view or trigger that other statements would take long to
    ///     compile
    void checkMade(CallerStatement statement) {
        if (!statement.makes() || role == Role.ADMIN) return;
        asPerigee(() -> {
            new SchemaTrial(connection).run();
            return true;
        });
    }

    void release(CallerStatement statement) {
        SqliteStatement sqlite = statement.sqlite();
        sqlite.reset();
        sqlite.clearBindings();
        String sql = statement.sql();
        // A pragma may keep the answer from the time when it was prepared.
        boolean isPlain = sql.length() <= MAX_KEPT_CHARS
                && !statement.namesHidden()
                && !statement.makes()
                && !statement.defines()
                && !statement.isOutdated();
        if (!isPlain || SqlWords.mayHave(sql, "pragma")) {
            sqlite.close();
            return;
        }
        Kept other = statements.put(key(sql), new Kept(sqlite, statement.usesViews(), statement.copies()));
        if (other != null) other.statement.close();
        if (statements.size() > MAX_STATEMENTS) {
            statements.pollFirstEntry().getValue().statement.close();
        }
    }

    private Key key(String sql) {
        if (role == null) throw new IllegalStateException("no caller");
        return new Key(role, sql);
    }

    private void clear() {
        statements.values().forEach(kept -> kept.statement.close());
        statements.clear();
    }

    private Authorizer.Decision authorize(
            int action,
            @Nullable String arg1,
            @Nullable String arg2,
            @Nullable String database,
            @Nullable String trigger) {
        Role caller = role;
        if (caller == null) return Authorizer.Decision.OK;
        if (trigger != null && observer.get().owns(trigger)) return Authorizer.Decision.OK;
        // Dropping a table drops the observer's triggers on it too.
        boolean isDropped = action == AuthorizerAction.DROP_TEMP_TRIGGER;
        if (isDropped && arg1 != null && observer.get().owns(arg1)) return Authorizer.Decision.OK;
        current.asked(action, arg1, arg2, trigger);
        if (action == AuthorizerAction.READ
                && arg1 != null
                && protectedTables.of(arg1).isPresent()) current.readsCopy(SqlNames.folded(arg1));
        // SQLite itself reads it, in a statement that cannot contain a caller's query.
        if (current.defines() && action == AuthorizerAction.READ && "sqlite_temp_master".equals(arg1))
            return Authorizer.Decision.OK;
        rules.refusal(caller, action, arg1, arg2, database, trigger, current.writes(), current.target())
                .or(() -> isPoliced ? policing.refusal(action, arg1, arg2, database, trigger) : Optional.empty())
                .ifPresent(refusal -> {
                    throw refusal;
                });
        return Authorizer.Decision.OK;
    }
}
