package dev.perigee.bundled.cdc;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Socket;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `GET /cdc`: sends admins each change of the replica's tables as it commits.
///
/// Changes are recorded while a client follows them, and for `KEPT` after the last client has left, across restarts,
/// too. A client that comes back in that time continues where it was. At other times nothing is recorded, and writes
/// cost nothing more.
public final class CdcPlugin extends StarbasePlugin {
    /// How long recording continues after the last client has left.
    static final Duration KEPT = Duration.ofMinutes(10);

    private static final Set<String> ACTIONS = Set.of("INSERT", "UPDATE", "DELETE", "RELOAD", "DROP");
    private static final int MAX_FILTER_NAMES = 1000;
    private static final Duration READ_LIMIT = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(CdcPlugin.class);

    private final CommitSignal commits = new CommitSignal();
    private final Retention.Limits limits;
    private @Nullable PluginHost host;
    private @Nullable ChangeRecorder recorder;
    private int followers;

    public CdcPlugin() {
        this(Retention.Limits.DEFAULT);
    }

    CdcPlugin(Retention.Limits limits) {
        super("starbasedb:cdc", true, "/cdc");
        this.limits = limits;
    }

    /// The observer that records the changes made by a worker process; see [dev.perigee.store.AttachedReplica].
    public static ChangeObserver inWorker(Transaction transaction) {
        return ChangeRecorder.attached(transaction, new Retention(Retention.Limits.DEFAULT));
    }

    @Override
    public void register(PluginHost given) {
        host = given;
        given.store().migrate("cdc", ChangeRecorder.TABLES);
        given.socket("", Access.ADMIN, this::open);
        // Before the first write, so that nothing is missed between two runs of the server.
        if (isRecording(given.store())) record(true);
    }

    @Override
    public void start() {
        if (recorder != null && host().alarm().isEmpty()) host().setAlarm(due());
    }

    private Socket.Listener open(Request request, Socket socket) {
        Set<String> tables = tables(request);
        Set<String> actions = names(request, "actions").stream()
                .map(action -> action.toUpperCase(Locale.ROOT))
                .collect(Collectors.toSet());
        actions.stream().filter(action -> !ACTIONS.contains(action)).findFirst().ifPresent(action -> {
            throw Fault.INVALID_REQUEST.saying(
                    "\"actions\" may be INSERT, UPDATE, DELETE, RELOAD and DROP, not %s.".formatted(action));
        });
        Optional<Long> after = request.query("after").map(CdcPlugin::position);
        enter();
        try {
            long position = after.orElseGet(this::latest);
            Follower follower = new Follower(
                    host().store(), socket, commits, new Follower.Wanted(tables, actions, position), this::leave);
            follower.start();
            return follower;
        } catch (RuntimeException e) {
            leave();
            throw e;
        }
    }

    private static long position(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException _) {
            throw Fault.INVALID_REQUEST.saying(
                    "\"after\" must be a number: the \"position\" of the last change you have.");
        }
    }

    private static List<String> names(Request request, String parameter) {
        List<String> names = Arrays.stream(request.query(parameter).orElse("").split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
        if (names.size() > MAX_FILTER_NAMES) {
            throw Fault.INVALID_REQUEST.saying("\"%s\" has more than %d names.".formatted(parameter, MAX_FILTER_NAMES));
        }
        return names;
    }

    /// The tables of the filter. An unknown name is refused, because a client with a mistyped name would wait forever.
    private Set<String> tables(Request request) {
        List<String> names = names(request, "tables");
        return host().store()
                .read(
                        READ_LIMIT,
                        tx -> names.stream()
                                .map(name -> {
                                    SqliteStatement select = tx.statement(
                                                    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE")
                                            .bindText(1, name);
                                    if (!select.step())
                                        throw Fault.NOT_FOUND.saying("Table '%s' does not exist.".formatted(name));
                                    return SqlNames.folded(name);
                                })
                                .collect(Collectors.toSet()));
    }

    private synchronized void enter() {
        if (recorder == null) record(false);
        host().setAlarm(due());
        followers++;
    }

    private synchronized void leave() {
        followers--;
        if (followers == 0) host().setAlarm(due());
    }

    private void record(boolean isResumed) {
        recorder = ChangeRecorder.start(host().store(), new Retention(limits), isResumed, commits::wake);
        LOG.info("Changes are recorded for /cdc");
    }

    /// Ends recording if no client follows; otherwise asks again later.
    @Override
    public synchronized void onAlarm(int attempt) {
        ChangeRecorder running = recorder;
        if (running == null) return;
        if (followers > 0) {
            host().setAlarm(due());
            return;
        }
        running.stop(host().store());
        recorder = null;
        LOG.info("No client has followed /cdc for {} minutes; changes are no longer recorded", KEPT.toMinutes());
    }

    @Override
    public synchronized void onClockSetBack() {
        if (recorder != null) host().setAlarm(due());
    }

    private Instant due() {
        return host().clock().instant().plus(KEPT);
    }

    private long latest() {
        return host().store().read(READ_LIMIT, tx -> {
            SqliteStatement select = tx.statement(
                    "SELECT max(coalesce((SELECT max(position) FROM tmp_cdc_log), 0), (SELECT floor FROM tmp_cdc_state))");
            select.step();
            return select.intAt(0);
        });
    }

    private static boolean isRecording(Store store) {
        return store.read(READ_LIMIT, tx -> {
            SqliteStatement select = tx.statement("SELECT is_recording FROM tmp_cdc_state");
            return select.step() && select.intAt(0) == 1;
        });
    }

    private PluginHost host() {
        if (host == null) throw new IllegalStateException("the plugin is not registered");
        return host;
    }
}
