package dev.perigee.bundled.cron;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.PluginHost;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/// The scheduled tasks in the replica, the state of each, and the last runs.
///
/// A trigger checks each task when it is written, whoever writes it. A statement fails if it writes a task that could
/// not run.
final class CronTasks {
    /// Maximum number of tasks.
    static final int MAX_TASKS = 1000;

    /// Maximum number of runs kept, of all tasks together.
    static final int KEPT_RUNS = 1000;

    private static final int MAX_NAME_CHARS = 200;
    private static final int MAX_CRON_TAB_CHARS = 1000;
    private static final int MAX_PAYLOAD_CHARS = 64 << 10;
    private static final int MAX_CALLBACK_CHARS = 2000;

    /// What the trigger accepts. It is checked again when tasks are read, because another program may have written
    /// anything.
    private static final String IS_READABLE =
            """
            typeof(t.name) = 'text' AND length(t.name) BETWEEN 1 AND %d
            AND typeof(t.cron_tab) = 'text' AND length(t.cron_tab) <= %d
            AND typeof(t.payload) IN ('text', 'null') AND ifnull(length(t.payload), 0) <= %d
            AND typeof(t.callback_host) IN ('text', 'null') AND ifnull(length(t.callback_host), 0) <= %d""".formatted(MAX_NAME_CHARS, MAX_CRON_TAB_CHARS, MAX_PAYLOAD_CHARS, MAX_CALLBACK_CHARS);
    private static final Duration READ_LIMIT = Duration.ofSeconds(10);

    static final List<String> TABLES = List.of("""
            CREATE TABLE IF NOT EXISTS tmp_cron_tasks (
                name TEXT NOT NULL UNIQUE PRIMARY KEY,
                cron_tab TEXT NOT NULL,
                payload TEXT,
                callback_host TEXT,
                is_active INTEGER
            )""", """
            CREATE TABLE tmp_cron_state (
                name TEXT NOT NULL PRIMARY KEY,
                cron_tab TEXT NOT NULL,
                due_at_ms INTEGER NOT NULL,
                error TEXT
            )""", """
            CREATE TABLE tmp_cron_runs (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL,
                due_at TEXT NOT NULL,
                started_at TEXT NOT NULL,
                ms INTEGER NOT NULL,
                outcome TEXT NOT NULL,
                attempts INTEGER NOT NULL,
                error TEXT
            )""", """
            CREATE TRIGGER tmp_cron_added BEFORE INSERT ON tmp_cron_tasks BEGIN
                SELECT perigee_cron_task(NEW.name, NEW.cron_tab, NEW.payload, NEW.callback_host,
                    (SELECT count(*) FROM tmp_cron_tasks WHERE name <> NEW.name));
            END""", """
            CREATE TRIGGER tmp_cron_changed BEFORE UPDATE OF name, cron_tab, payload, callback_host ON tmp_cron_tasks BEGIN
                SELECT perigee_cron_task(NEW.name, NEW.cron_tab, NEW.payload, NEW.callback_host, 0);
            END""", """
            CREATE TRIGGER tmp_cron_paused AFTER UPDATE ON tmp_cron_tasks BEGIN
                SELECT perigee_cron_look();
            END""");

    /// @param callbackHost the server that is told of the task's runs by HTTP
    record Task(String name, String cronTab, String payload, Optional<String> callbackHost, boolean isActive) {}

    /// @param dueMillis when it runs next, in milliseconds since 1970; 0 if that is not known
    record State(String cronTab, long dueMillis) {}

    record Known(Task task, Optional<State> state) {}

    private final Store store;
    private final List<String> allowedHosts;

    /// @param allowedHosts hosts that tasks may call; empty for all
    /// @param changed called when tasks are about to change
    CronTasks(PluginHost host, List<String> allowedHosts, Runnable changed) {
        this.store = host.store();
        this.allowedHosts = allowedHosts;
        store.migrate("cron", TABLES);
        host.function("perigee_cron_task", 5, arguments -> {
            check(arguments);
            changed.run();
            return Value.Null.NULL;
        });
        host.function("perigee_cron_look", 0, _ -> {
            changed.run();
            return Value.Null.NULL;
        });
    }

    private void check(List<Value> arguments) {
        String name = text(arguments.get(0), "name");
        if (name.isBlank() || name.length() > MAX_NAME_CHARS) {
            throw Fault.INVALID_REQUEST.saying("\"name\" must have 1 to %d characters.".formatted(MAX_NAME_CHARS));
        }
        String cronTab = text(arguments.get(1), "cron_tab");
        if (cronTab.length() > MAX_CRON_TAB_CHARS) {
            throw Fault.INVALID_REQUEST.saying(
                    "\"cron_tab\" has more than %d characters.".formatted(MAX_CRON_TAB_CHARS));
        }
        CronTab.of(cronTab);
        if (!(arguments.get(2) instanceof Value.Null)) payload(text(arguments.get(2), "payload"));
        if (!(arguments.get(3) instanceof Value.Null)) callback(text(arguments.get(3), "callback_host"));
        if (arguments.get(4) instanceof Value.Int(long others) && others >= MAX_TASKS) {
            throw Fault.TOO_LARGE.saying("There are %d tasks already; remove one first.".formatted(MAX_TASKS));
        }
    }

    private static String text(Value value, String column) {
        if (value instanceof Value.Text(String text)) return text;
        throw Fault.INVALID_REQUEST.saying("\"%s\" must be text.".formatted(column));
    }

    static void payload(String text) {
        if (text.length() > MAX_PAYLOAD_CHARS) {
            throw Fault.TOO_LARGE.saying("\"payload\" has more than %d characters.".formatted(MAX_PAYLOAD_CHARS));
        }
        try {
            // An empty text is not JSON, but the parser returns a missing node instead of failing.
            if (text.isBlank() || Json.MAPPER.readTree(text).isMissingNode()) {
                throw Fault.INVALID_REQUEST.saying("\"payload\" must be JSON.");
            }
        } catch (JacksonException _) {
            throw Fault.INVALID_REQUEST.saying("\"payload\" must be JSON.");
        }
    }

    /// The address that is told of a task's runs.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] if it is not an address, [Fault#FORBIDDEN] if
    ///     its host is not allowed
    URI callback(String host) {
        if (host.length() > MAX_CALLBACK_CHARS) {
            throw Fault.TOO_LARGE.saying(
                    "\"callback_host\" has more than %d characters.".formatted(MAX_CALLBACK_CHARS));
        }
        int end = host.length();
        while (end > 0 && host.charAt(end - 1) == '/') end--;
        try {
            URI uri = new URI(host.substring(0, end) + "/cron/callback");
            String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
            boolean isAddress = scheme.matches("https?")
                    && uri.getHost() != null
                    && !uri.getHost().isEmpty();
            if (!isAddress || uri.getUserInfo() != null || uri.getQuery() != null || uri.getFragment() != null) {
                throw new URISyntaxException(host, "no address");
            }
            String withPort = uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
            if (!allowedHosts.isEmpty() && !isAllowed(uri.getHost()) && !isAllowed(withPort)) {
                throw Fault.FORBIDDEN.saying("\"callback_host\" %s is not in cron.callbackHosts.".formatted(withPort));
            }
            return uri;
        } catch (URISyntaxException _) {
            throw Fault.INVALID_REQUEST.saying("\"callback_host\" must be an address such as https://app.example.com.");
        }
    }

    /// Whether the settings name the host of this address.
    boolean isNamed(URI address) {
        return isAllowed(address.getHost()) || isAllowed(address.getHost() + ":" + address.getPort());
    }

    private boolean isAllowed(String host) {
        return allowedHosts.stream().anyMatch(host::equalsIgnoreCase);
    }

    List<Known> all() {
        return store.read(READ_LIMIT, tx -> {
            List<Known> found = new ArrayList<>();
            SqliteStatement select = tx.statement("""
                    SELECT t.name, t.cron_tab, t.payload, t.callback_host, t.is_active, s.cron_tab, s.due_at_ms
                    FROM tmp_cron_tasks t LEFT JOIN tmp_cron_state s ON s.name = t.name
                    WHERE\s""" + IS_READABLE + " ORDER BY t.name LIMIT ?1")
                    .bindInt(1, 2L * MAX_TASKS);
            while (select.step()) {
                String payload = select.textAt(2);
                Task task = new Task(
                        String.valueOf(select.textAt(0)),
                        String.valueOf(select.textAt(1)),
                        payload == null ? "{}" : payload,
                        Optional.ofNullable(select.textAt(3)),
                        select.type(4) == SqliteStatement.Type.NULL || select.intAt(4) != 0);
                String known = select.textAt(5);
                found.add(new Known(
                        task, known == null ? Optional.empty() : Optional.of(new State(known, select.intAt(6)))));
            }
            return found;
        });
    }

    void due(Task task, Instant due) {
        store.write(tx -> {
            tx.statement("""
                            INSERT INTO tmp_cron_state (name, cron_tab, due_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT (name)
                            DO UPDATE SET cron_tab = excluded.cron_tab, due_at_ms = excluded.due_at_ms, error = NULL""")
                    .bindText(1, task.name())
                    .bindText(2, task.cronTab())
                    .bindInt(3, due.toEpochMilli())
                    .run();
            return true;
        });
    }

    /// Pauses the tasks that cannot be read, and deletes the state of tasks that are gone.
    void tidy() {
        store.write(tx -> {
            String unreadable = " FROM tmp_cron_tasks AS t WHERE NOT (" + IS_READABLE + ") AND t.is_active IS NOT 0";
            tx.statement("INSERT OR REPLACE INTO tmp_cron_state (name, cron_tab, due_at_ms, error)"
                            + " SELECT substr(t.name, 1, %d), '', 0, 'a column is not text, or is too long'"
                                    .formatted(MAX_NAME_CHARS)
                            + unreadable + " LIMIT " + MAX_TASKS)
                    .run();
            tx.statement("UPDATE tmp_cron_tasks SET is_active = 0 WHERE rowid IN (SELECT t.rowid" + unreadable + ")")
                    .run();
            tx.statement("DELETE FROM tmp_cron_state WHERE name NOT IN (SELECT substr(name, 1, %d) FROM tmp_cron_tasks)"
                            .formatted(MAX_NAME_CHARS))
                    .run();
            return true;
        });
    }

    /// Pauses a task that cannot run, and records the reason in its state. Other tasks are not affected.
    void disable(Task task, String reason) {
        store.write(tx -> {
            tx.statement("UPDATE tmp_cron_tasks SET is_active = 0 WHERE name = ?1")
                    .bindText(1, task.name())
                    .run();
            tx.statement("""
                            INSERT INTO tmp_cron_state (name, cron_tab, due_at_ms, error) VALUES (?1, ?2, 0, ?3)
                            ON CONFLICT (name) DO UPDATE SET cron_tab = excluded.cron_tab, error = excluded.error""")
                    .bindText(1, task.name())
                    .bindText(2, task.cronTab())
                    .bindText(3, reason)
                    .run();
            return true;
        });
    }

    void ran(CronRun run) {
        store.write(tx -> {
            SqliteStatement insert = tx.statement("""
                    INSERT INTO tmp_cron_runs (name, due_at, started_at, ms, outcome, attempts, error)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)""")
                    .bindText(1, run.name())
                    .bindText(2, run.due().toString())
                    .bindText(3, run.started().toString())
                    .bindInt(4, run.ms())
                    .bindText(5, run.outcome().name().toLowerCase(Locale.ROOT))
                    .bindInt(6, run.attempts());
            if (run.error().isPresent()) insert.bindText(7, run.error().get());
            insert.run();
            tx.statement("DELETE FROM tmp_cron_runs WHERE id <= (SELECT max(id) FROM tmp_cron_runs) - ?1")
                    .bindInt(1, KEPT_RUNS)
                    .run();
            return true;
        });
    }
}
