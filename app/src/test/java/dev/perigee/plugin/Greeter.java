package dev.perigee.plugin;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.statement.Caller;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// A plugin with one route of each kind.
public final class Greeter extends StarbasePlugin {
    record Greeting(String name, String greeting, Caller.Role role, String path) {}

    public Greeter() {
        super("greeter", false, "/hello");
    }

    @Override
    public void register(PluginHost host) {
        host.route(
                "GET",
                "",
                Access.ANYBODY,
                request -> Response.result(request.caller().role()));
        host.route(
                "GET",
                "/:name",
                Access.CLIENT,
                request -> Response.result(new Greeting(
                        request.pathParameter("name"),
                        request.query("greeting").orElse("none"),
                        request.caller().role(),
                        request.path())));
        host.route("POST", "/:name", Access.ADMIN, request -> Response.result(request.json()));
        host.route(
                "PUT",
                "/:name",
                Access.ADMIN,
                request -> new Response(
                        201, "text/plain", Map.of("X-Size", String.valueOf(request.body().length)), out -> {}));
        host.route("DELETE", "/fault", Access.ADMIN, _ -> {
            throw Fault.CONFLICT.saying("already gone");
        });
        host.route("DELETE", "/bug", Access.ADMIN, _ -> {
            throw new IllegalStateException("secret detail of a bug");
        });
        host.route(
                "GET",
                "/broken/off",
                Access.CLIENT,
                _ -> Response.stream(200, "text/plain", out -> {
                    out.write("begun".getBytes(StandardCharsets.UTF_8));
                    out.flush();
                    throw new IllegalStateException("in the middle");
                }));
    }
}
