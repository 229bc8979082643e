package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/// `sqlite3_backup_*`.
///
/// @see <a href="https://www.sqlite.org/c3ref/backup_finish.html">SQLite: Online Backup API</a>
final class NativeBackup {
    private static final MethodHandle BEGIN =
            link("sqlite3_backup_init", LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STEP = link("sqlite3_backup_step", LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle FINISH = link("sqlite3_backup_finish", LONG, JAVA_INT, JAVA_LONG);
    private static final MethodHandle REMAINING = link("sqlite3_backup_remaining", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle PAGE_COUNT = link("sqlite3_backup_pagecount", SHORT, JAVA_INT, JAVA_LONG);

    private NativeBackup() {}

    /// Begins a backup. Returns 0 if it cannot begin; the target connection then has the error.
    static long begin(long target, long targetName, long source, long sourceName) {
        try {
            return (long) BEGIN.invokeExact(target, targetName, source, sourceName);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int step(long backup, int pageCount) {
        try {
            return (int) STEP.invokeExact(backup, pageCount);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int finish(long backup) {
        try {
            return (int) FINISH.invokeExact(backup);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int remaining(long backup) {
        try {
            return (int) REMAINING.invokeExact(backup);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static int pageCount(long backup) {
        try {
            return (int) PAGE_COUNT.invokeExact(backup);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
