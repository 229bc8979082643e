package com.example.perigee;

import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.StatementCall;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/// A plugin with a route, a hook around statements, and an SQL function.
public final class GreetingPlugin extends StarbasePlugin {
    private final String greeting;
    private final AtomicLong statements = new AtomicLong();

    /// @param settings the plugin's settings, from `plugins.settings.example:greeting` in perigee.yaml
    public GreetingPlugin(Map<String, String> settings) {
        super("example:greeting", true, "/greeting");
        this.greeting = settings.getOrDefault("greeting", "Hello");
    }

    @Override
    public void register(PluginHost host) {
        host.route(
                "GET",
                "/:name",
                Access.CLIENT,
                request -> Response.result(Map.of(
                        "greeting", greeting + ", " + request.pathParameter("name") + "!",
                        "statements", statements.get())));
        host.function(
                "greeting",
                1,
                arguments -> arguments.getFirst() instanceof Value.Text(String name)
                        ? new Value.Text(greeting + ", " + name + "!")
                        : Value.Null.NULL);
    }

    @Override
    public StatementCall beforeQuery(StatementCall call) {
        statements.incrementAndGet();
        return call;
    }
}
