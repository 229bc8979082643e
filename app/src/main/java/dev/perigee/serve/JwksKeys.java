package dev.perigee.serve;

import com.nimbusds.jose.RemoteKeySourceException;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The keys a JWKS endpoint publishes, kept for a while. A key id nobody knows makes it ask again, but not more often
/// than a pause allows; while the endpoint is down, keys it once gave are used on.
final class JwksKeys implements JWKSource<SecurityContext>, AutoCloseable {
    /// Age at which keys are read anew.
    private static final Duration MAX_AGE = Duration.ofMinutes(5);

    /// Time for which a failure stands before the endpoint is asked again, as long as it never gave a key.
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int MAX_BYTES = 1 << 20;

    private record Kept(JWKSet keys, long readNanos) {}

    private final URI endpoint;
    private final Duration minPause;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    /// Read without the lock, so that a slow endpoint holds up only those who need new keys.
    private volatile @Nullable Kept kept;

    private @Nullable RemoteKeySourceException lastFailure;
    private long lastTryNanos;

    /// @param minPause time between two questions that unknown key ids make us ask
    JwksKeys(URI endpoint, Duration minPause) {
        this.endpoint = endpoint;
        this.minPause = minPause;
    }

    @Override
    public List<JWK> get(JWKSelector selector, @Nullable SecurityContext context) throws RemoteKeySourceException {
        Kept known = current(MAX_AGE);
        List<JWK> matching = selector.select(known.keys());
        if (!matching.isEmpty()) return matching;
        return selector.select(current(minPause).keys());
    }

    /// Keys no older than `maxAge`, or those there are when the endpoint was asked a moment ago or does not answer.
    private Kept current(Duration maxAge) throws RemoteKeySourceException {
        Kept known = kept;
        if (known != null && System.nanoTime() - known.readNanos() < maxAge.toNanos()) return known;
        return renewed(maxAge);
    }

    private synchronized Kept renewed(Duration maxAge) throws RemoteKeySourceException {
        long now = System.nanoTime();
        Kept known = kept;
        if (known != null && now - known.readNanos() < maxAge.toNanos()) return known;
        RemoteKeySourceException failure = lastFailure;
        Duration pause = known == null ? AFTER_FAILURE : minPause;
        boolean isTooSoon = failure != null && now - lastTryNanos < pause.toNanos();
        if (!isTooSoon) {
            try {
                known = new Kept(read(), System.nanoTime());
                kept = known;
                lastFailure = null;
                return known;
            } catch (RemoteKeySourceException e) {
                failure = e;
                lastFailure = e;
                lastTryNanos = System.nanoTime();
            }
        }
        if (known != null) return known;
        throw failure;
    }

    private JWKSet read() throws RemoteKeySourceException {
        CompletableFuture<HttpResponse<byte[]>> answer = http.sendAsync(
                HttpRequest.newBuilder(endpoint).build(), BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_BYTES));
        try {
            // One limit for connecting, waiting and reading: an endpoint that drips bytes holds nobody up.
            HttpResponse<byte[]> response = answer.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            if (response.statusCode() != 200) {
                throw new RemoteKeySourceException("the JWKS endpoint answered " + response.statusCode(), null);
            }
            return JWKSet.parse(new String(response.body(), StandardCharsets.UTF_8));
        } catch (ExecutionException | TimeoutException | ParseException e) {
            throw new RemoteKeySourceException("the JWKS endpoint did not answer with keys", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RemoteKeySourceException("interrupted", e);
        } finally {
            answer.cancel(true);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
