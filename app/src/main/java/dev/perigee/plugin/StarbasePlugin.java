package dev.perigee.plugin;

import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;

/// A plugin: routes, hooks around every query, and an alarm. It lives as long as the server.
///
/// Order of calls: [#register] once, [#start] once all plugins are registered, hooks and [#onAlarm] from many threads,
/// [#stop] once.
public abstract class StarbasePlugin {
    private final String name;
    private final boolean requiresAuth;
    private final String pathPrefix;
    private final boolean hasHooks = hasHooks(getClass());

    /// @param name unique, like `starbasedb:replication`
    /// @param requiresAuth whether its routes need a valid token
    /// @param pathPrefix where its routes live, like `/replication`; empty for none
    protected StarbasePlugin(String name, boolean requiresAuth, String pathPrefix) {
        this.name = name;
        this.requiresAuth = requiresAuth;
        this.pathPrefix = pathPrefix;
    }

    public final String name() {
        return name;
    }

    public final boolean requiresAuth() {
        return requiresAuth;
    }

    public final String pathPrefix() {
        return pathPrefix;
    }

    /// Takes what it needs of the host and names its routes. Routes cannot be added later.
    public void register(PluginHost host) {}

    /// Whether its hooks may take their time with this statement, or do more than look and change. If not, they may be
    /// called on a thread that serves others too, and once more on another one. Unless a plugin knows better it is so
    /// where it has any hook.
    public boolean mayWait(StatementCall call) {
        return hasHooks;
    }

    /// May change a statement before it runs; what it throws fails the query.
    public StatementCall beforeQuery(StatementCall call) {
        return call;
    }

    /// May wrap the sink that receives the answer's rows, to see or change them as they stream by.
    public RowSink afterQuery(StatementCall call, RowSink rows) {
        return rows;
    }

    /// Its alarm is due. Throwing makes it fire again, see [dev.perigee.alarm.Alarms].
    public void onAlarm(int attempt) throws Exception {}

    /// The machine's clock was set back. An alarm that was set from a time before may be too far ahead: a plugin whose
    /// alarm is the next time of a schedule sets it again here.
    public void onClockSetBack() throws Exception {}

    /// A task's time has come, or another server says that one of its has. Called on a thread that may wait; what it
    /// throws is noted as the task's failure and keeps no other plugin from being told.
    public void onCron(CronEvent event) throws Exception {}

    private static boolean hasHooks(Class<?> type) {
        try {
            Class<?> before = type.getMethod("beforeQuery", StatementCall.class).getDeclaringClass();
            Class<?> after = type.getMethod("afterQuery", StatementCall.class, RowSink.class)
                    .getDeclaringClass();
            return before != StarbasePlugin.class || after != StarbasePlugin.class;
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("every plugin has both", e);
        }
    }

    public void start() {}

    /// Finishes what it began; the host's store is still open.
    public void stop() {}
}
