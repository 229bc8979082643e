package dev.perigee.serve;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.source.JWKSetBasedJWKSource;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.perigee.fault.Fault;
import dev.perigee.statement.Caller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.text.ParseException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Checks JWTs: signed with the one algorithm that is configured, by a key of the JWKS endpoint, with a `sub`, neither
/// expired nor before their time (`exp` and `nbf`, a minute of clock skew allowed).
final class JwtVerifier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JwtVerifier.class);

    /// A new key of the provider is known here after this time at the latest.
    private static final Duration MIN_PAUSE = Duration.ofSeconds(10);

    private final JWKSetBasedJWKSource<SecurityContext> keys;
    private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

    JwtVerifier(String jwksEndpoint, String algorithm) {
        this(jwksEndpoint, algorithm, MIN_PAUSE);
    }

    /// @param minPause at most two requests are sent to the endpoint in this time, however many key ids are unknown
    JwtVerifier(String jwksEndpoint, String algorithm, Duration minPause) {
        keys = new JWKSetBasedJWKSource<>(new JwksCache(new JwksEndpoint(URI.create(jwksEndpoint)), minPause));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.parse(algorithm), keys));
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(null, Set.of("sub")));
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#UNAUTHORIZED] if it is not valid, [Fault#BUSY] if the endpoint
    ///     does not answer
    Caller caller(String token) {
        try {
            JWTClaimsSet claims = processor.process(token, null);
            Map<String, Object> present = new HashMap<>(claims.toJSONObject());
            present.values().removeIf(value -> value == null);
            return new Caller(Caller.Role.CLIENT, Optional.of(claims.getSubject()), present);
        } catch (KeySourceException e) {
            throw Fault.BUSY.in(
                    "JWT check",
                    "the keys of AUTH_JWKS_ENDPOINT could not be read",
                    "The token was not judged",
                    "check that this server reaches AUTH_JWKS_ENDPOINT; tokens are judged again as soon as it does",
                    e);
        } catch (BadJOSEException | ParseException | JOSEException e) {
            // The library's words say which check failed, never what is in the token.
            throw Fault.UNAUTHORIZED.saying("Unauthorized: the JWT is not valid: %s.".formatted(e.getMessage()));
        } catch (RuntimeException e) {
            // The library stumbles over some nonsense, such as claims that are `null`; that is no trouble of ours.
            LOG.debug("A JWT could not be read", e);
            throw Fault.UNAUTHORIZED.saying("Unauthorized: the JWT is not valid: it could not be read.");
        }
    }

    @Override
    public void close() {
        try {
            keys.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
