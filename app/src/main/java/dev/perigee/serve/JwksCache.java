package dev.perigee.serve;

import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSetCacheRefreshEvaluator;
import com.nimbusds.jose.jwk.source.JWKSetSource;
import com.nimbusds.jose.jwk.source.JWKSetSourceWrapper;
import com.nimbusds.jose.jwk.source.OutageTolerantJWKSetSource;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.jwk.source.RateLimitedJWKSetSource;
import com.nimbusds.jose.jwk.source.RefreshAheadCachingJWKSetSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// The keys of an endpoint, cached by Nimbus' own sources: they are refreshed in the background before they expire, an
/// unknown key id has the endpoint asked again within a rate limit, and known keys stay valid while the endpoint is
/// unreachable. `JWKSourceBuilder` would stack the same sources; two things are added to them here, for which they have
/// no setting:
/// - Time is monotonic. With the wall clock, a clock that was ahead for a moment would block refreshes until then.
/// - A caller past the rate limit gets the last keys, so that a token with an unknown key id is 401 and not 503.
final class JwksCache extends JWKSetSourceWrapper<SecurityContext> {
    private static final Duration TIME_TO_LIVE = Duration.ofMinutes(5);
    private static final Duration REFRESH_AHEAD = Duration.ofMinutes(1);

    private final long startedNanos = System.nanoTime();
    private volatile @Nullable JWKSet last;

    /// @param minPause at most two requests are sent to the endpoint in this time
    JwksCache(JWKSetSource<SecurityContext> endpoint, Duration minPause) {
        super(cached(new RateLimitedJWKSetSource<>(
                new OutageTolerantJWKSetSource<>(endpoint, Long.MAX_VALUE, null), minPause.toMillis(), null)));
    }

    private static JWKSetSource<SecurityContext> cached(JWKSetSource<SecurityContext> source) {
        return new RefreshAheadCachingJWKSetSource<>(
                source,
                TIME_TO_LIVE.toMillis(),
                JwksEndpoint.TIMEOUT.multipliedBy(3).toMillis(),
                REFRESH_AHEAD.toMillis(),
                false,
                Executors.newThreadPerTaskExecutor(
                        Thread.ofVirtual().name("perigee-jwks").factory()),
                true,
                null);
    }

    @Override
    public JWKSet getJWKSet(
            JWKSetCacheRefreshEvaluator evaluator, long currentMillis, @Nullable SecurityContext context)
            throws KeySourceException {
        try {
            JWKSet keys = getSource().getJWKSet(evaluator, (System.nanoTime() - startedNanos) / 1_000_000, context);
            last = keys;
            return keys;
        } catch (RateLimitReachedException e) {
            JWKSet known = last;
            if (known == null) throw e;
            return known;
        }
    }
}
