package dev.perigee.serve;

import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.jspecify.annotations.Nullable;

/// CORS: which other origins' pages may read the answers. Either all may, or those that `serve.allowedOrigins` names.
final class Cors {
    private static final List<HttpField> ALWAYS = List.of(
            new HttpField(HttpHeader.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, PUT, DELETE, OPTIONS"),
            new HttpField(
                    HttpHeader.ACCESS_CONTROL_ALLOW_HEADERS,
                    "Authorization, Content-Type, X-Starbase-Source, X-Data-Source, X-Starbase-Cache, X-Perigee-Max-Staleness, X-Perigee-After, X-Perigee-Wait, X-Perigee-If-Stale, If-None-Match"),
            new HttpField(
                    HttpHeader.ACCESS_CONTROL_EXPOSE_HEADERS,
                    "X-Perigee-Position, X-Perigee-As-Of, X-Perigee-Guarantee, X-Perigee-Token, Age, ETag, Retry-After"),
            new HttpField(HttpHeader.ACCESS_CONTROL_MAX_AGE, "86400"));

    private final List<String> origins;

    /// @param origins `*`, or exact origins like `https://app.example.com`
    Cors(List<String> origins) {
        this.origins = origins;
    }

    /// Whether a page of this origin may open a WebSocket. Without an `Origin`, which only browsers send, the answer is
    /// yes.
    boolean allows(@Nullable String origin) {
        return origin == null || origins.contains("*") || origins.contains(origin);
    }

    void addTo(HttpFields.Mutable headers, @Nullable String origin) {
        if (origins.contains("*")) {
            headers.put(HttpHeader.ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        } else {
            headers.put(HttpHeader.VARY, "Origin");
            if (origin == null || !origins.contains(origin)) return;
            headers.put(HttpHeader.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        ALWAYS.forEach(headers::put);
    }
}
