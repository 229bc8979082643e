package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.query.policy.AccessRules;
import dev.perigee.query.policy.Policies;
import dev.perigee.query.policy.Policing;
import dev.perigee.query.sql.ContextSpelling;
import dev.perigee.query.sql.SqlScan;
import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.Authorizer;
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

/// One of the store's connections, lent to callers' statements: they are prepared and run under [AccessRules], and kept
/// prepared per role. For the thread that owns the connection.
///
/// The authorizer stays set and lets Perigee's own statements pass. Setting it anew for each request would make SQLite
/// prepare every statement of the connection again; and it has to be there while a statement runs, because SQLite
/// prepares that again by itself when the schema has changed.
final class CallerConnection {
    /// Statements kept prepared.
    private static final int MAX_STATEMENTS = 128;

    /// Longer ones are not kept, so that the cache's memory has a bound.
    private static final int MAX_KEPT_CHARS = 8192;

    /// Longest text or blob a caller's statement may make or read. SQLite builds values outside the heap, where no
    /// other limit of ours holds.
    static final int MAX_VALUE_BYTES = 64 << 20;

    private static final Set<Integer> MAKING = Set.of(
            AuthorizerAction.ALTER_TABLE,
            AuthorizerAction.CREATE_TABLE,
            AuthorizerAction.CREATE_TRIGGER,
            AuthorizerAction.CREATE_VIEW);

    private record Key(Role role, String sql) {}

    private record Kept(SqliteStatement statement, boolean usesViews) {}

    private final SqliteConnection connection;
    private final Supplier<ChangeObserver> observer;
    private final AccessRules rules;
    private final ProtectedTables protectedTables;
    private final LinkedHashMap<Key, Kept> statements = new LinkedHashMap<>(64, 0.75f, true);
    private long rulesVersion;
    private @Nullable Role role;
    private int maxOwnValueBytes;
    private boolean namesHidden;
    private boolean wasKept;
    private boolean writes;
    private boolean makes;
    private boolean usesViews;
    private @Nullable String altered;
    private @Nullable String dropped;
    private @Nullable String target;
    private boolean defines;
    private final CallerFunctions functions;
    private final Policing policing;
    private boolean isPoliced;
    private long policedSchema = -1;

    /// @param functions makes the plugins' functions known to a connection
    /// @param observer who follows the writes now
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

    /// Rows that statements have changed so far, without those that were written only because somebody follows them.
    long changes() {
        return connection.totalChanges() - observer.get().rowsWritten();
    }

    /// The table that the statement prepared last drops.
    Optional<String> dropped() {
        return Optional.ofNullable(dropped);
    }

    /// The table that the statement prepared last alters.
    Optional<String> altered() {
        return Optional.ofNullable(altered);
    }

    Policing policing() {
        return policing;
    }

    /// Runs `work` with the rights of `caller`.
    ///
    /// @param policed whether row-level security stands between the caller and the tables
    /// @throws PerigeeException the refusal itself where a statement went beyond them
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

    /// Runs `work` with Perigee's own rights, in the middle of a caller's.
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

    /// Puts the policies of the transaction that is open in place, on a connection that only policed callers use.
    void police() {
        asPerigee(() -> {
            Policies now = Policies.read(connection);
            long schema = schemaVersion();
            if (schema == policedSchema && now.equals(policing.policies())) return true;
            clear();
            policedSchema = -1;
            policing.remove();
            policing.install(now, _ -> true);
            policedSchema = schema;
            return true;
        });
    }

    private long schemaVersion() {
        try (SqliteStatement version = connection.prepare("PRAGMA main.schema_version")) {
            version.step();
            return version.intAt(0);
        }
    }

    /// A step on the schema's own table makes the connection read what others changed.
    void lookAtSchema() {
        asPerigee(() -> {
            try (SqliteStatement look = connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1")) {
                return look.step();
            }
        });
    }

    /// The statement, ready to be bound. It is given back by [#release].
    SqliteStatement prepare(String sql) {
        long version = protectedTables.version();
        if (version != rulesVersion) {
            // What was allowed when it was prepared may not be any more.
            clear();
            rulesVersion = version;
        }
        namesHidden = false;
        altered = null;
        dropped = null;
        target = null;
        defines = false;
        writes = false;
        // Under such a name, given to a view or a WITH, everything would be allowed; a plan shows them.
        String followers = observer.get().triggerPrefix();
        if (!followers.isEmpty() && SqlNames.folded(sql).contains(SqlNames.folded(followers))) {
            throw Fault.FORBIDDEN.saying("A name in the statement is not available.");
        }
        makes = false;
        usesViews = false;
        Kept kept = statements.remove(key(sql));
        wasKept = kept != null;
        if (kept != null) {
            usesViews = kept.usesViews;
            return kept.statement;
        }
        return connection.prepare(ContextSpelling.rewritten(sql));
    }

    /// To be called when a statement has been run.
    ///
    /// @throws PerigeeException [Fault#TOO_LARGE] if it made what others' statements take long to compile
    void checkMade() {
        if (!makes || role == Role.ADMIN) return;
        asPerigee(() -> {
            new SchemaTrial(connection).run();
            return true;
        });
    }

    /// Whether the statement prepared last has been run before and was kept.
    boolean wasKept() {
        return wasKept;
    }

    /// Whether the statement prepared last names a view, or fires a trigger.
    boolean usesViews() {
        return usesViews;
    }

    /// Whether the statement prepared last, if it was prepared just now, may make a name the authorizer is not told.
    boolean namesHidden() {
        return namesHidden;
    }

    void release(String sql, SqliteStatement statement) {
        statement.reset();
        statement.clearBindings();
        // A pragma may hold the answer of when it was prepared.
        boolean isPlain = sql.length() <= MAX_KEPT_CHARS && !namesHidden && !makes && !defines;
        if (!isPlain || SqlScan.mentionsPragma(sql)) {
            statement.close();
            return;
        }
        Kept other = statements.put(key(sql), new Kept(statement, usesViews));
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
        // A table that is dropped takes them along.
        boolean isDropped = action == AuthorizerAction.DROP_TEMP_TRIGGER;
        if (isDropped && arg1 != null && observer.get().owns(arg1)) return Authorizer.Decision.OK;
        if (trigger != null) usesViews = true;
        if (action == AuthorizerAction.ALTER_TABLE) altered = arg2;
        if (action == AuthorizerAction.DROP_TABLE) dropped = arg1;
        if (action == AuthorizerAction.ALTER_TABLE || action == AuthorizerAction.DROP_TABLE) defines = true;
        // SQLite's own doing, in a statement that has no place for a caller's query.
        if (defines && action == AuthorizerAction.READ && "sqlite_temp_master".equals(arg1))
            return Authorizer.Decision.OK;
        if (action == AuthorizerAction.ALTER_TABLE || action == AuthorizerAction.CREATE_TRIGGER) namesHidden = true;
        if (MAKING.contains(action)) makes = true;
        if (action == AuthorizerAction.INSERT || action == AuthorizerAction.UPDATE || action == AuthorizerAction.DELETE)
            writes = true;
        // Perigee's triggers on a table of its own look at the row that is written; nobody else has any there.
        if (trigger == null && (action == AuthorizerAction.INSERT || action == AuthorizerAction.UPDATE)) target = arg1;
        rules.refusal(caller, action, arg1, arg2, database, trigger, writes, target)
                .or(() -> isPoliced ? policing.refusal(action, arg1, arg2, database, trigger) : Optional.empty())
                .ifPresent(refusal -> {
                    throw refusal;
                });
        return Authorizer.Decision.OK;
    }
}
