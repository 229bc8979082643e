package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.RouteTable;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;

/// The page at `/` and its files below `/page/`, from the class path. It loads nothing from elsewhere, runs only its
/// own scripts, and cannot be framed.
final class Dashboard {
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none';"
                    + " frame-ancestors 'none'";

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "mjs", "text/javascript; charset=utf-8",
            "json", "application/json",
            "svg", "image/svg+xml",
            "png", "image/png",
            "ico", "image/x-icon",
            "woff2", "font/woff2",
            "txt", "text/plain; charset=utf-8");

    private record File(byte[] bytes, String type, String tag) {}

    private final Map<String, File> files = new ConcurrentHashMap<>();

    void addTo(RouteTable<Endpoint> routes) {
        routes.add("GET", "/", new Endpoint(Access.ANYBODY, exchange -> serve(exchange, "index.html")));
        routes.add("GET", "/page/:file", new Endpoint(Access.ANYBODY, exchange -> serve(exchange, file(exchange, ""))));
        routes.add(
                "GET",
                "/page/:folder/:file",
                new Endpoint(
                        Access.ANYBODY,
                        exchange -> serve(
                                exchange,
                                file(exchange, exchange.pathParameters().get("folder") + "/"))));
    }

    private static String file(Exchange exchange, String folder) {
        return folder + exchange.pathParameters().get("file");
    }

    private void serve(Exchange exchange, String name) throws IOException {
        File file = files.get(name);
        if (file == null) {
            file = load(name);
            files.put(name, file); // Bounded: only files that exist get here.
        }
        exchange.responseHeader("Content-Security-Policy", POLICY);
        exchange.responseHeader("Referrer-Policy", "no-referrer");
        exchange.responseHeader("Cache-Control", "no-cache"); // Cached, but always revalidated.
        exchange.responseHeader("ETag", file.tag());
        if (exchange.header("If-None-Match").filter(file.tag()::equals).isPresent()) {
            exchange.empty(304);
        } else {
            exchange.answer(200, file.type(), file.bytes());
        }
    }

    private static File load(String name) throws IOException {
        if (!name.matches("([A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)+")) throw missing();
        String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        if (type == null) throw missing();
        try (InputStream in = Dashboard.class.getResourceAsStream("page/" + name)) {
            if (in == null) throw missing();
            byte[] bytes = in.readAllBytes();
            CRC32C sum = new CRC32C();
            sum.update(bytes);
            return new File(bytes, type, '"' + HexFormat.of().toHexDigits(sum.getValue()) + '"');
        }
    }

    private static RuntimeException missing() {
        return Fault.NOT_FOUND.saying("Not found");
    }
}
