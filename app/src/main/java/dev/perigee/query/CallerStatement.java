package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.sqlite.SqliteStatement;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
    private Set<String> copies = Set.of();
    private boolean isAnnounced;
    private boolean isOutdated;
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
    /// @param read what [#copies] was then
    CallerStatement kept(SqliteStatement statement, boolean viewsUsed, Set<String> read) {
        sqlite = statement;
        wasKept = true;
        usesViews = viewsUsed;
        copies = read;
        return this;
    }

    /// Called when the compiler says that the statement reads a copy.
    ///
    /// @param copy in lower case
    /// @throws PerigeeException [Fault#STALE] if the copies were announced without this one: the schema has changed, as
    ///     when a view was replaced, and SQLite compiles the statement again
    void readsCopy(String copy) {
        if (copies.contains(copy)) return;
        if (isAnnounced) {
            isOutdated = true;
            throw Fault.STALE.saying("The schema has changed while the statement was prepared; send it again.");
        }
        copies = Stream.concat(copies.stream(), Stream.of(copy)).collect(Collectors.toUnmodifiableSet());
    }

    /// The copies of the source's tables that it reads, also by views. From now on they are known to others, and no
    /// further one may be read.
    Set<String> copies() {
        isAnnounced = true;
        return copies;
    }

    /// Whether it reads copies that it did not read when it was compiled. It must not be kept.
    boolean isOutdated() {
        return isOutdated;
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
