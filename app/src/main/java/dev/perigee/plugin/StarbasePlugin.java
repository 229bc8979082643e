package dev.perigee.plugin;

import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;

/// A plugin: routes, hooks around every query, and an alarm. It lives as long as the server.
///
/// Order of calls: [#register] once, [#start] once all plugins are registered, then hooks and [#onAlarm] from many
/// threads, and finally [#stop] once.
public abstract class StarbasePlugin {
    private final String name;
    private final boolean requiresAuth;
    private final String pathPrefix;
    private final boolean hasHooks = hasHooks(getClass());

    /// @param name unique, such as `starbasedb:replication`
    /// @param requiresAuth whether its routes need a valid token
    /// @param pathPrefix the prefix of its routes, such as `/replication`; empty if it has none
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

    /// Takes what the plugin needs from the host, and adds its routes and functions. They cannot be added later.
    public void register(PluginHost host) {}

    /// Whether the hooks may block or have side effects for this statement. If false, they may be called on a thread
    /// that serves other connections too, and again on another thread. By default it is true for a plugin that
    /// overrides a hook.
    public boolean mayWait(StatementCall call) {
        return hasHooks;
    }

    /// May change a statement before it runs. An exception fails the query.
    public StatementCall beforeQuery(StatementCall call) {
        return call;
    }

    /// May wrap the sink that receives the answer's rows, to see or change them as they are streamed.
    public RowSink afterQuery(StatementCall call, RowSink rows) {
        return rows;
    }

    /// Called when the plugin's alarm is due. If it throws, the alarm fires again; see [dev.perigee.alarm.Alarms].
    ///
    /// @param attempt 0 for the first call, then 1, 2 and so on for retries
    public void onAlarm(int attempt) throws Exception {}

    /// Called when the machine's clock was set back. An alarm computed from the earlier clock may now be too far ahead.
    /// A plugin whose alarm follows a schedule sets it again here.
    public void onClockSetBack() throws Exception {}

    /// Called when a cron task is due here, or when another server reports that one of its tasks is. Runs on a thread
    /// that may block. An exception is recorded as the task's failure; the other plugins are still called.
    public void onCron(CronEvent event) throws Exception {}

    private static boolean hasHooks(Class<?> type) {
        try {
            Class<?> before = type.getMethod("beforeQuery", StatementCall.class).getDeclaringClass();
            Class<?> after = type.getMethod("afterQuery", StatementCall.class, RowSink.class)
                    .getDeclaringClass();
            return before != StarbasePlugin.class || after != StarbasePlugin.class;
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("every plugin has both hooks", e);
        }
    }

    public void start() {}

    /// Ends what the plugin started. The host's store is still open.
    public void stop() {}
}
