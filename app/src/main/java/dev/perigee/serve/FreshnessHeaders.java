package dev.perigee.serve;

import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.FreshnessToken;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.jspecify.annotations.Nullable;

/// The headers about freshness: what a request demands, and how fresh its answer is.
///
/// @param hasCookie whether browsers keep the token of their last write in a cookie
record FreshnessHeaders(boolean hasCookie) {
    static final String POSITION = "X-Perigee-Position";
    static final String AS_OF = "X-Perigee-As-Of";
    static final String GUARANTEE = "X-Perigee-Guarantee";
    static final String TOKEN = "X-Perigee-Token";

    private static final String PREFIX = "X-Perigee-";
    private static final String COOKIE = "perigee-after";

    /// How long a browser keeps the token of a write. Until then every copy has been synced many times.
    private static final Duration COOKIE_LIFE = Duration.ofMinutes(10);

    private static final int MAX_KEPT_SECONDS = 64;
    private static final HttpField[] AGES = new HttpField[MAX_KEPT_SECONDS];

    static {
        for (int i = 0; i < MAX_KEPT_SECONDS; i++) AGES[i] = new HttpField(HttpHeader.AGE, Integer.toString(i));
    }

    /// What a request demands.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] if a header is not valid
    FreshnessDemand demand(HttpFields headers) {
        boolean isAny = false;
        for (HttpField field : headers) {
            isAny |= field.getName().regionMatches(true, 0, PREFIX, 0, PREFIX.length())
                    || hasCookie && field.getHeader() == HttpHeader.COOKIE;
        }
        if (!isAny) return FreshnessDemand.NONE;
        return FreshnessDemand.of(new FreshnessDemand.Words(
                Optional.ofNullable(headers.get("X-Perigee-Max-Staleness")),
                all(headers, "X-Perigee-After"),
                hasCookie ? cookie(headers) : Optional.empty(),
                Optional.ofNullable(headers.get("X-Perigee-Wait")),
                Optional.ofNullable(headers.get("X-Perigee-If-Stale"))));
    }

    private static Optional<String> all(HttpFields headers, String name) {
        return headers.contains(name) ? Optional.of(String.join(",", headers.getValuesList(name))) : Optional.empty();
    }

    private static Optional<String> cookie(HttpFields headers) {
        @Nullable String cookies = headers.get(HttpHeader.COOKIE);
        if (cookies == null) return Optional.empty();
        for (String cookie : cookies.split(";")) {
            String[] parts = cookie.strip().split("=", 2);
            if (parts.length == 2 && parts[0].equals(COOKIE)) return Optional.of(parts[1]);
        }
        return Optional.empty();
    }

    /// Adds how fresh an answer is. What is not known is left out.
    void addTo(HttpFields.Mutable headers, AnswerFreshness freshness) {
        addTo(headers, POSITION, freshness.position());
        addTo(headers, AS_OF, freshness.asOf());
        addTo(headers, GUARANTEE, freshness.guarantee());
        if (freshness.ageNanos() < 0) return;
        long seconds = TimeUnit.NANOSECONDS.toSeconds(freshness.ageNanos());
        headers.add(
                seconds < MAX_KEPT_SECONDS
                        ? AGES[(int) seconds]
                        : new HttpField(HttpHeader.AGE, Long.toString(seconds)));
    }

    /// Adds a header that is none of Jetty's own, without looking for its name among these.
    private static void addTo(HttpFields.Mutable headers, String name, String value) {
        if (!value.isEmpty()) headers.add(new HttpField(null, name, value));
    }

    /// Adds the token of a write.
    ///
    /// @param isEncrypted whether the request came over TLS
    void addTo(HttpFields.Mutable headers, FreshnessToken token, boolean isEncrypted) {
        headers.put(TOKEN, token.toString());
        if (!hasCookie) return;
        headers.add(
                HttpHeader.SET_COOKIE,
                "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s"
                        .formatted(COOKIE, token, COOKIE_LIFE.toSeconds(), isEncrypted ? "; Secure" : ""));
    }

    /// The `max-age` of an answer. A client may keep it until the next sync is due, and not longer than it wants the
    /// copies to be fresh; HTTP counts that time from where `Age` is zero (RFC 9111, section 4.2). Zero where it is not
    /// known.
    static Duration maxAge(AnswerFreshness freshness, FreshnessDemand demand) {
        if (freshness.ageNanos() < 0 || freshness.restNanos() <= 0) return Duration.ZERO;
        Duration whole = Duration.ofNanos(freshness.ageNanos() + freshness.restNanos());
        return demand.maxStaleness().filter(most -> most.compareTo(whole) < 0).orElse(whole);
    }
}
