package dev.perigee.bundled.studio;

import dev.perigee.bundled.transfer.ExportPlugin;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.StudioConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.PluginHost.RouteHandler;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.sqlite.Value;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/// `/studio` and the requests of its page. It is off, and answers 404, unless a user and a password are configured.
///
/// The page and its script are open to anybody, because they hold no data; everything else needs a session.
public final class StudioPlugin extends StarbasePlugin {
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none';"
                    + " require-trusted-types-for 'script'; trusted-types 'none'";

    private static final String OFF =
            "The studio is off: set STUDIO_USER and STUDIO_PASS, or studio.user and studio.password, to use it.";

    private final StudioConfig config;
    private final QueryConfig limits;
    private final ExportPlugin exports;

    /// @param limits how long statements may run, which the page shows
    /// @param exports makes the files that the page offers for download
    public StudioPlugin(StudioConfig config, QueryConfig limits, ExportPlugin exports) {
        super("starbasedb:studio", false, "/studio");
        this.config = config;
        this.limits = limits;
        this.exports = exports;
    }

    @Override
    public void register(PluginHost host) {
        if (!config.isOn()) {
            host.route("GET", "", Access.ANYBODY, _ -> {
                throw Fault.NOT_FOUND.saying(OFF);
            });
            return;
        }
        StudioSessions sessions = new StudioSessions(config, host.clock());
        // The page's transaction calls this after each statement that must change one row. If it did not, the
        // transaction is rolled back.
        host.function("perigee_studio_changed", 1, arguments -> {
            if (arguments.getFirst() instanceof Value.Int(long count) && count == 1) return new Value.Int(1);
            throw Fault.CONFLICT.saying(
                    "A row is no longer as it was shown: somebody has changed or removed it. Nothing was saved.");
        });
        host.route("GET", "", Access.ANYBODY, _ -> file("studio.html", "text/html; charset=utf-8"));
        host.route("GET", "/studio.js", Access.ANYBODY, _ -> file("studio.js", "text/javascript; charset=utf-8"));
        host.route("GET", "/studio.css", Access.ANYBODY, _ -> file("studio.css", "text/css; charset=utf-8"));
        host.route("POST", "/login", Access.ANYBODY, request -> signIn(sessions, request));
        host.route("GET", "/session", Access.ANYBODY, request -> session(sessions, request));
        host.route("POST", "/logout", Access.ANYBODY, guarded(sessions, request -> {
            sessions.signOut(request);
            return with(Response.result(Map.of("done", true)), "Set-Cookie", cookie(request, "", 0));
        }));
        host.route("POST", "/query", Access.ANYBODY, guarded(sessions, request -> query(host, request)));
        // A link cannot send the CSRF header. It changes nothing, and browsers send the cookie with it from this site
        // only.
        host.route("GET", "/export/:format", Access.ANYBODY, request -> export(sessions, request));
    }

    private static RouteHandler guarded(StudioSessions sessions, RouteHandler handler) {
        return request -> {
            sessions.required(request);
            return with(handler.handle(request), "Cache-Control", "no-store");
        };
    }

    private Response signIn(StudioSessions sessions, Request request) {
        StudioSessions.requireSameSite(request);
        JsonNode body = request.json();
        StudioSessions.Opened opened = sessions.signIn(
                request, body.path("user").asString(""), body.path("password").asString(""));
        Response answer = Response.result(known(opened.session()));
        int seconds = Math.toIntExact(StudioSessions.LONGEST.toSeconds());
        return with(with(answer, "Set-Cookie", cookie(request, opened.cookie(), seconds)), "Cache-Control", "no-store");
    }

    private Response session(StudioSessions sessions, Request request) {
        StudioSessions.requireSameSite(request);
        return with(Response.result(known(sessions.signedIn(request))), "Cache-Control", "no-store");
    }

    /// What the page needs to know about its session.
    private Map<String, Object> known(StudioSessions.Session session) {
        return Map.of(
                "csrf", session.csrf(),
                "rows", StudioAnswer.MAX_ROWS,
                "readMs", limits.limits().readLimit().toMillis(),
                "writeMs", limits.limits().writeLimit().toMillis());
    }

    private static String cookie(Request request, String value, int seconds) {
        return "%s=%s; Path=/studio; Max-Age=%d; HttpOnly; SameSite=Strict%s"
                .formatted(StudioSessions.COOKIE, value, seconds, request.isEncrypted() ? "; Secure" : "");
    }

    private static Response query(PluginHost host, Request request) {
        StudioAnswer answer = new StudioAnswer();
        long begin = System.nanoTime();
        host.queries().run(StudioQuery.of(request.json()), answer, request.cancellation());
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("answers", answer.answers());
        result.put("ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
        byte[] bytes = Json.MAPPER.writeValueAsBytes(Map.of("result", result));
        return new Response(200, "application/json", Map.of(), out -> out.write(bytes));
    }

    private Response export(StudioSessions sessions, Request request) {
        StudioSessions.requireSameSite(request);
        sessions.signedIn(request);
        Response answer = exports.export(request.pathParameter("format"), request.query("table"));
        return with(answer, "Cache-Control", "no-store");
    }

    private static Response file(String name, String type) {
        try (InputStream in = StudioPlugin.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException("the page has no " + name);
            byte[] bytes = in.readAllBytes();
            Map<String, String> headers = Map.of(
                    "Content-Security-Policy", POLICY,
                    "Cross-Origin-Opener-Policy", "same-origin",
                    "Referrer-Policy", "no-referrer",
                    "Cache-Control", "no-cache");
            return new Response(200, type, headers, out -> out.write(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Response with(Response response, String name, String value) {
        Map<String, String> headers = new LinkedHashMap<>(response.headers());
        headers.put(name, value);
        return new Response(response.status(), response.contentType(), headers, response.body());
    }
}
