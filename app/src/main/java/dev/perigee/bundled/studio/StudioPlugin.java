package dev.perigee.bundled.studio;

import dev.perigee.bundled.transfer.ExportPlugin;
import dev.perigee.config.StudioConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.PluginHost.RouteHandler;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/// `/studio` and what its page asks. Off, and answered with 404, unless a user and a password are
/// configured.
///
/// The page and its script are open to anybody, for there is nothing in them; everything else needs a
/// session.
public final class StudioPlugin extends StarbasePlugin {
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

    private static final String OFF =
            "The studio is off: set STUDIO_USER and STUDIO_PASS, or studio.user and studio.password, to use it.";

    private final StudioConfig config;
    private final ExportPlugin exports;

    /// @param exports makes the files the page offers
    public StudioPlugin(StudioConfig config, ExportPlugin exports) {
        super("starbasedb:studio", false, "/studio");
        this.config = config;
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
        // A link sends no header of ours; it changes nothing, and this site alone sends the cookie with it.
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
                body.path("user").asString(""), body.path("password").asString(""));
        Response answer = Response.result(Map.of("csrf", opened.session().csrf()));
        return with(answer, "Set-Cookie", cookie(request, opened.cookie(), 43_200));
    }

    private static Response session(StudioSessions sessions, Request request) {
        StudioSessions.requireSameSite(request);
        return sessions.find(request)
                .map(session -> with(Response.result(Map.of("csrf", session.csrf())), "Cache-Control", "no-store"))
                .orElseThrow(() -> Fault.UNAUTHORIZED.saying("Sign in to the studio first."));
    }

    private static String cookie(Request request, String value, int seconds) {
        boolean isSecure =
                request.header("X-Forwarded-Proto").filter("https"::equals).isPresent();
        return "%s=%s; Path=/studio; Max-Age=%d; HttpOnly; SameSite=Strict%s"
                .formatted(StudioSessions.COOKIE, value, seconds, isSecure ? "; Secure" : "");
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
        if (sessions.find(request).isEmpty()) throw Fault.UNAUTHORIZED.saying("Sign in to the studio first.");
        return exports.export(request.pathParameter("format"), request.query("table"));
    }

    private static Response file(String name, String type) {
        try (InputStream in = StudioPlugin.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException("the page has no " + name);
            byte[] bytes = in.readAllBytes();
            Map<String, String> headers = Map.of(
                    "Content-Security-Policy", POLICY, "Referrer-Policy", "no-referrer", "Cache-Control", "no-cache");
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
