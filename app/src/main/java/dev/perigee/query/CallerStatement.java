package dev.perigee.query;

import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.sqlite.SqliteStatement;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A caller's statement, prepared by [CallerConnection#prepare], with what SQLite's compiler reported about it to the
/// authorizer. For the thread that owns the connection.
final class CallerStatement implements AutoCloseable {
    private static final Set<Integer> MAKING = Set.of(
            AuthorizerAction.ALTER_TABLE,
            AuthorizerAction.CREATE_TABLE,
            AuthorizerAction.CREATE_TRIGGER,
            AuthorizerAction.CREATE_VIEW);

    private final String sql;
    private @Nullable SqliteStatement sqlite;
    private boolean wasKept;
    private boolean usesViews;
    private boolean namesHidden;
    private boolean makes;
    private boolean defines;
    private boolean writes;
    private @Nullable String altered;
    private @Nullable String dropped;
    private @Nullable String target;

    CallerStatement(String sql) {
        this.sql = sql;
    }

    /// To be called when the statement has been compiled.
    CallerStatement compiled(SqliteStatement statement) {
        sqlite = statement;
        return this;
    }

    /// To be called when the statement was kept from an earlier request.
    ///
    /// @param viewsUsed what [#usesViews] was when it was compiled
    CallerStatement kept(SqliteStatement statement, boolean viewsUsed) {
        sqlite = statement;
        wasKept = true;
        usesViews = viewsUsed;
        return this;
    }

    /// Called for each action that the compiler asks the authorizer about.
    void asked(int action, @Nullable String arg1, @Nullable String arg2, @Nullable String trigger) {
        if (trigger != null) usesViews = true;
        if (action == AuthorizerAction.ALTER_TABLE) altered = arg2;
        if (action == AuthorizerAction.DROP_TABLE) dropped = arg1;
        if (action == AuthorizerAction.ALTER_TABLE || action == AuthorizerAction.DROP_TABLE) defines = true;
        if (action == AuthorizerAction.ALTER_TABLE || action == AuthorizerAction.CREATE_TRIGGER) namesHidden = true;
        if (MAKING.contains(action)) makes = true;
        boolean stores = action == AuthorizerAction.INSERT || action == AuthorizerAction.UPDATE;
        if (stores || action == AuthorizerAction.DELETE) writes = true;
        // Perigee's triggers on its own tables read the row that is written. Nobody else can have triggers there.
        if (trigger == null && stores) target = arg1;
    }

    String sql() {
        return sql;
    }

    SqliteStatement sqlite() {
        if (sqlite == null) throw new IllegalStateException("not compiled");
        return sqlite;
    }

    /// Whether it has been run before and was kept.
    boolean wasKept() {
        return wasKept;
    }

    /// Whether it uses a view or fires a trigger.
    boolean usesViews() {
        return usesViews;
    }

    /// Whether it may make a name that the authorizer is not told. False for a kept statement.
    boolean namesHidden() {
        return namesHidden;
    }

    /// Whether it makes a table, a view or a trigger.
    boolean makes() {
        return makes;
    }

    /// Whether it alters or drops a table.
    boolean defines() {
        return defines;
    }

    boolean writes() {
        return writes;
    }

    /// The table that it alters.
    Optional<String> altered() {
        return Optional.ofNullable(altered);
    }

    /// The table that it drops.
    Optional<String> dropped() {
        return Optional.ofNullable(dropped);
    }

    /// The table that it inserts into or updates by itself, not by a trigger.
    @Nullable
    String target() {
        return target;
    }

    @Override
    public void close() {
        sqlite().close();
    }
}
