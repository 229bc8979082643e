package dev.perigee.sqlite;

/// What can be switched on and off for one connection.
///
/// @see <a href="https://www.sqlite.org/c3ref/c_dbconfig_defensive.html">SQLite: Database Connection Configuration</a>
public enum SqliteSwitch {
    FOREIGN_KEYS(1002),
    TRIGGERS(1003),
    /// The C function that loads extensions; the SQL function stays off.
    LOAD_EXTENSION(1005),
    NO_CHECKPOINT_ON_CLOSE(1006),
    /// Nothing in SQL can corrupt the file: no writes to shadow tables or the schema, no `journal_mode = OFF`.
    DEFENSIVE(1010),
    WRITABLE_SCHEMA(1011),
    /// `"text"` for `'text'` in statements.
    DOUBLE_QUOTED_STRINGS(1013),
    /// `"text"` for `'text'` in the schema.
    DOUBLE_QUOTED_STRINGS_IN_SCHEMA(1014),
    VIEWS(1015),
    /// Functions and virtual tables that are not marked harmless may be used by views, triggers and the schema.
    TRUSTED_SCHEMA(1017);

    final int code;

    SqliteSwitch(int code) {
        this.code = code;
    }
}
