package dev.perigee.fault;

/// A kind of failure, nearly always outside our code: its HTTP status, its remedy, and whether waiting is enough. The
/// names are API: people search for them, so a name is never changed or given another meaning.
public enum Fault {
    // What a caller sent.
    INVALID_REQUEST(false, 400, "correct the request as the message says"),
    STATEMENT_INVALID(false, 400, "correct the SQL statement"),
    UNAUTHORIZED(false, 401, "send `Authorization: Bearer <token>` with a valid token"),
    FORBIDDEN(false, 403, "use a token whose role allows this"),
    NOT_FOUND(false, 404, "check the name"),
    METHOD_NOT_ALLOWED(false, 405, "use one of the methods in the `Allow` header"),
    MISDIRECTED(false, 421, "send the request to one of the server's own names, or add the name to `serve.hosts`"),
    UPGRADE_REQUIRED(false, 426, "connect with a WebSocket client"),
    CONFLICT(false, 409, "resolve the conflict that the message names"),
    CONSTRAINT(false, 409, "send values that satisfy the table's constraints"),
    TOO_LARGE(false, 413, "send less at once, or raise the limit that the message names"),
    TOO_MANY_REQUESTS(true, 429, "wait and send again"),

    // This server and its replica file.
    CONFIG_INVALID(false, 500, "correct the configuration as the message says"),
    BUSY(true, 503, "wait and send again"),
    STALE(true, 503, "wait and send again, wait longer with `X-Perigee-Wait`, or ask for less"),
    CLOSED(false, 503, "send the request again after Perigee has been restarted"),
    TIME_LIMIT(true, 504, "make the statement cheaper, or raise the limit that the message names"),
    DISK_FULL(true, 503, "free space on the replica's disk; applying then continues by itself"),
    DISK_FAILED(true, 503, "check the replica's disk and the permissions of its folder"),
    REPLICA_CORRUPT(
            false,
            500,
            "stop Perigee, move the file with its -wal and -shm away, and start it again, which loads all tables again; or put a backup in its place; see \"A damaged or lost replica\" in docs/replication.md"),
    REPLICA_LOST(
            false,
            500,
            "export what you need while this process still runs, then restart it, which loads all tables again; see \"A damaged or lost replica\" in docs/replication.md"),
    REPLICA_LOCKED(false, 503, "stop the process that the message names, or use another data folder"),
    REPLICA_TOO_NEW(false, 500, "run the Perigee version that wrote this replica, or a newer one"),
    SQLITE_FAILED(
            false,
            500,
            "try it once more; if it fails again, check the replica's disk, then report it with the server's log"),
    SQLITE_LIBRARY_MISSING(
            false, 500, "set `perigee.sqlite.library` to a SQLite shared library of version 3.35 or newer"),
    WORKER_FAILED(
            false,
            500,
            "send another statement if this one fails again; the server's log has what the worker process said"),
    INTERNAL(false, 500, "report this with the server's log"),

    // The external database.
    SOURCE_NOT_CONFIGURED(
            false, 400, "set EXTERNAL_DB_URL or the EXTERNAL_DB_* variables, or `source:` in perigee.yaml"),
    SOURCE_UNSUPPORTED(
            false, 502, "use PostgreSQL 13 or newer, or a service that runs it; see docs/sources/postgresql.md"),
    SOURCE_UNREACHABLE(true, 502, "let the source accept connections again; syncing then continues by itself"),
    SOURCE_AUTH(true, 502, "correct the source's user, password or access rules"),
    SOURCE_TLS(true, 502, "correct the source's sslmode and certificates"),
    SOURCE_TIMEOUT(true, 504, "check the source's load and locks, or raise its statement timeout"),
    SOURCE_BUSY(true, 503, "wait and send again, or raise `source.maxConnections`"),
    SOURCE_FAILED(
            true,
            502,
            "look for this error in the source's own log and fix its cause there; Perigee then tries again by itself"),
    SOURCE_STATEMENT(false, 400, "correct the SQL statement for the source"),
    SOURCE_TABLE_MISSING(
            true,
            404,
            "check the name and its schema, or create the table in the source; if it is gone for good, remove it with `perigee tables remove`"),
    SOURCE_COLUMN_MISSING(true, 404, "name a column that the source's table has"),
    SOURCE_PERMISSION(true, 502, "grant the source's user the right that the message names"),
    SOURCE_ROWS_HIDDEN(
            true,
            502,
            "connect as a role that sees all rows of the table: one with BYPASSRLS (`ALTER ROLE name BYPASSRLS`), or its owner where row-level security is not forced; or copy only the rows that it sees, with `rowSecurity` `filtered` for the table"),
    SOURCE_SCHEMA_CHANGED(true, 502, "wait for the next sync, which follows the source's new definition"),
    SOURCE_BEHIND_CURSOR(
            true,
            502,
            "make sure that it is the source you want, then recover the table, with `perigee tables recover`"),
    SOURCE_REPLACED(
            true,
            502,
            "make sure that it is the source you want, then recover the table, with `perigee tables recover`"),
    MASS_DELETE(
            false,
            409,
            "check whether the source really lost these rows; if it did, confirm the deletion with `--confirm`, or `\"confirm\": true`"),
    KEY_MISSING(false, 400, "name the columns that identify a row as `key` in the table's configuration"),
    CURSOR_UNSUITABLE(false, 400, "choose a cursor column that grows with every insert and update"),
    VALUE_UNSTORABLE(false, 502, "exclude the column, or change its storage option"),
    SET_ASIDE_FULL(
            true, 502, "see `GET /replication/tables/<name>/set-aside` for why rows cannot be stored, and fix that");

    private final boolean retryable;
    private final int httpStatus;
    private final String remedy;

    Fault(boolean retryable, int httpStatus, String remedy) {
        this.retryable = retryable;
        this.httpStatus = httpStatus;
        this.remedy = remedy;
    }

    /// Whether the same call may succeed later without anybody changing something on our side. The sync loop decides by
    /// this and never by the text of a message.
    public boolean isRetryable() {
        return retryable;
    }

    /// The HTTP status of an answer that reports this fault.
    public int httpStatus() {
        return httpStatus;
    }

    /// What to do about it, as an imperative sentence without a full stop.
    public String remedy() {
        return remedy;
    }

    /// One occurrence of this fault.
    ///
    /// @param where the place or thing that failed, such as `source shop`
    /// @param what what was expected and what was found
    /// @param state what holds now, such as `Nothing was written`
    public PerigeeException in(String where, String what, String state) {
        return in(where, what, state, remedy);
    }

    /// As [#in(String, String, String)], with the exception that caused it.
    public PerigeeException in(String where, String what, String state, Throwable cause) {
        return new PerigeeException(this, message(where, what, state, remedy), remedy, cause);
    }

    /// As [#in(String, String, String)], with a remedy that fits this occurrence better than the fault's usual one.
    ///
    /// @param toFix an imperative sentence without a full stop
    public PerigeeException in(String where, String what, String state, String toFix) {
        return new PerigeeException(this, message(where, what, state, toFix), toFix, null);
    }

    /// As [#in(String, String, String, String)], with the exception that caused it.
    public PerigeeException in(String where, String what, String state, String toFix, Throwable cause) {
        return new PerigeeException(this, message(where, what, state, toFix), toFix, cause);
    }

    /// One occurrence whose whole message is `text`. For wording that clients rely on.
    public PerigeeException saying(String text) {
        return new PerigeeException(this, text, remedy, null);
    }

    private String message(String where, String what, String state, String toFix) {
        // A question such as "did you mean public.orders?" gets no full stop.
        String end = what.endsWith("?") ? "" : ".";
        return "%s in %s: %s%s %s. To fix: %s.".formatted(this, where, what, end, state, toFix);
    }
}
