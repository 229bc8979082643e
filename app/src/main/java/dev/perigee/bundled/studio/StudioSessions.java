package dev.perigee.bundled.studio;

import dev.perigee.config.StudioConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.Request;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/// The sessions of the users signed in to the studio, in memory. Safe for many threads.
///
/// A session is a random cookie that only this server's pages send and no script reads; only its hash is kept here.
/// Requests that do something also carry the session's CSRF token in a header, which no other site can know.
final class StudioSessions {
    static final String COOKIE = "perigee_studio";
    static final String CSRF_HEADER = "X-Studio-Csrf";

    /// Maximum number of sessions at once; one more ends the least recently used.
    private static final int MAX_SESSIONS = 64;

    private static final Duration IDLE = Duration.ofMinutes(30);
    static final Duration LONGEST = Duration.ofHours(12);

    /// Wrong passwords in a minute from one address. After that many, even a correct one from there is refused for the
    /// rest of the minute.
    private static final int MAX_FAILURES = 10;

    /// Wrong passwords in a minute from all addresses together. It limits guessing from many addresses, and the memory
    /// for failures.
    private static final int MAX_ALL_FAILURES = 200;

    private static final Duration FAILURE_TIME = Duration.ofMinutes(1);

    /// @param csrf the token that requests carry in addition to the cookie
    record Session(String csrf, Instant begun, Instant used) {}

    private record Failure(Instant at, String address) {}

    /// @param cookie the session's secret
    record Opened(String cookie, Session session) {}

    private final byte[] user;
    private final byte[] password;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Session> sessions = new HashMap<>();
    private final Deque<Failure> failures = new ArrayDeque<>();

    StudioSessions(StudioConfig config, InstantSource clock) {
        this.user = hash(config.user().orElseThrow());
        this.password = hash(config.password().orElseThrow());
        this.clock = clock;
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#UNAUTHORIZED] if the user or the password is wrong,
    ///     [Fault#TOO_MANY_REQUESTS] after too many wrong ones
    synchronized Opened signIn(Request request, String givenUser, String givenPassword) {
        Instant now = clock.instant();
        // Failures from the future were recorded while the clock was ahead. They would keep everybody out until then.
        failures.removeIf(failure ->
                failure.at().plus(FAILURE_TIME).isBefore(now) || failure.at().isAfter(now));
        String address = request.address();
        long fromThere = failures.stream()
                .filter(failure -> failure.address().equals(address))
                .count();
        // Counted per address: otherwise a stranger's few guesses would lock out the rightful user.
        if (fromThere >= MAX_FAILURES || failures.size() >= MAX_ALL_FAILURES) {
            throw Fault.TOO_MANY_REQUESTS.saying("Too many wrong passwords: try again in a minute.");
        }
        request.audited();
        // Both are compared in any case, so that the time taken tells nothing.
        boolean isUser = MessageDigest.isEqual(hash(givenUser), user);
        boolean isPassword = MessageDigest.isEqual(hash(givenPassword), password);
        if (!isUser || !isPassword) {
            failures.add(new Failure(now, address));
            throw Fault.UNAUTHORIZED.saying("The user or the password is wrong.");
        }
        forgetOld(now);
        if (sessions.size() >= MAX_SESSIONS) {
            String oldest = sessions.entrySet().stream()
                    .min((a, b) -> a.getValue().used().compareTo(b.getValue().used()))
                    .orElseThrow()
                    .getKey();
            sessions.remove(oldest);
        }
        String cookie = secret();
        Session session = new Session(secret(), now, now);
        sessions.put(key(cookie), session);
        return new Opened(cookie, session);
    }

    /// The session that a request's cookie names; it counts as used now.
    synchronized Optional<Session> find(Request request) {
        Optional<String> cookie = cookie(request);
        if (cookie.isEmpty()) return Optional.empty();
        Instant now = clock.instant();
        forgetOld(now);
        String key = key(cookie.get());
        Session session = sessions.get(key);
        if (session == null) return Optional.empty();
        Session used = new Session(session.csrf(), session.begun(), now);
        sessions.put(key, used);
        return Optional.of(used);
    }

    /// The session of a request that does something.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#UNAUTHORIZED] without a session, [Fault#FORBIDDEN] when
    ///     another site made the browser send it
    Session required(Request request) {
        requireSameSite(request);
        Session session = signedIn(request);
        byte[] given = request.header(CSRF_HEADER).orElse("").getBytes(StandardCharsets.UTF_8);
        if (!MessageDigest.isEqual(given, session.csrf().getBytes(StandardCharsets.UTF_8))) {
            throw Fault.FORBIDDEN.saying("The request does not come from the studio's page.");
        }
        return session;
    }

    /// The session of a request that only reads, so that it needs no CSRF token.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#UNAUTHORIZED] without a session
    Session signedIn(Request request) {
        Session session = find(request).orElseThrow(() -> Fault.UNAUTHORIZED.saying("Sign in to the studio first."));
        request.audited();
        return session;
    }

    /// Refuses a request that a browser sends for another site. Browsers say so by `Sec-Fetch-Site` on connections they
    /// trust, and by `Origin` on any. Programs send neither, but have no cookie that another site could use.
    static void requireSameSite(Request request) {
        Optional<String> site = request.header("Sec-Fetch-Site");
        boolean isOurs = site.map("same-origin"::equals)
                .orElseGet(() -> request.header("Origin")
                        .map(origin -> isHost(origin, request.header("Host").orElse("")))
                        .orElse(true));
        if (!isOurs) throw Fault.FORBIDDEN.saying("The request does not come from the studio's page.");
    }

    private static boolean isHost(String origin, String host) {
        int begin = origin.indexOf("://");
        return begin > 0 && origin.substring(begin + 3).equalsIgnoreCase(host);
    }

    synchronized void signOut(Request request) {
        cookie(request).ifPresent(cookie -> sessions.remove(key(cookie)));
    }

    private void forgetOld(Instant now) {
        sessions.values()
                .removeIf(session -> session.used().plus(IDLE).isBefore(now)
                        || session.begun().plus(LONGEST).isBefore(now));
    }

    private static Optional<String> cookie(Request request) {
        for (String each : request.header("Cookie").orElse("").split(";")) {
            String text = each.strip();
            if (text.startsWith(COOKIE + "=")) return Optional.of(text.substring(COOKIE.length() + 1));
        }
        return Optional.empty();
    }

    private String secret() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static String key(String cookie) {
        return HexFormat.of().formatHex(hash(cookie));
    }

    private static byte[] hash(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
