package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.statement.Caller;
import dev.perigee.statement.StatementCall;
import dev.perigee.testing.Contract;
import dev.perigee.testing.JwksServer;
import dev.perigee.testing.ServedStore;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Callers by JWT: real keys, a real JWKS endpoint.
class JwtTest {
    static RSAKey key;
    static RSAKey otherKey;

    @TempDir
    Path directory;

    final AtomicReference<Caller> seen = new AtomicReference<>();
    JwksServer provider;
    ServedStore served;

    @BeforeAll
    static void generate() {
        key = JwksServer.key("one");
        otherKey = JwksServer.key("two");
    }

    @BeforeEach
    void open() throws Exception {
        provider = new JwksServer();
        provider.publish(key);
        served = new ServedStore(
                directory,
                ServedStore.Setup.standard()
                        .serve(c -> ServedStore.with(c, c.access().clientToken(), Optional.of(provider.url())))
                        .plugins(new StarbasePlugin("seen", true, "") {
                            @Override
                            public StatementCall beforeQuery(StatementCall call) {
                                seen.set(call.caller());
                                return call;
                            }
                        }));
    }

    @AfterEach
    void close() {
        served.close();
        provider.close();
    }

    private static JWTClaimsSet.Builder claims() {
        return new JWTClaimsSet.Builder()
                .subject("user-7")
                .claim("team", "blue")
                .expirationTime(Date.from(Instant.now().plusSeconds(3600)));
    }

    private static String valid() {
        return JwksServer.token(key, JWSAlgorithm.RS256, claims().build());
    }

    private HttpResponse<String> query(String token) {
        return served.run(token, "SELECT 1 AS a");
    }

    private void isRefused(String token) {
        HttpResponse<String> answer = query(token);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(401);
        assertThat(answer.body()).startsWith("{\"error\":\"Unauthorized").doesNotContain(token, "user-7", "blue");
    }

    @Test
    @Contract("Kept: a JWT is checked against AUTH_JWKS_ENDPOINT, needs sub, and has the role client")
    void a_valid_jwt_makes_a_client_with_its_claims() {
        assertThat(query(valid()).body()).isEqualTo("{\"result\":[{\"a\":1}]}");
        Caller caller = seen.get();
        assertThat(caller.role()).isEqualTo(Caller.Role.CLIENT);
        assertThat(caller.subject()).hasValue("user-7");
        assertThat(caller.claims()).containsEntry("team", "blue");
        assertThat(served.get("/metrics", valid()).statusCode()).isEqualTo(403);
        assertThat(provider.asked).hasValue(1);
    }

    @Test
    void a_jwt_that_claims_to_be_admin_is_a_client_all_the_same() {
        JWTClaimsSet admin =
                claims().claim("role", "ADMIN").claim("isAdmin", true).build();
        String token = JwksServer.token(key, JWSAlgorithm.RS256, admin);
        assertThat(query(token).statusCode()).isEqualTo(200);
        assertThat(served.get("/metrics", token).statusCode()).isEqualTo(403);
    }

    @Test
    void an_expired_jwt_is_refused_and_so_is_one_before_its_time() {
        Instant now = Instant.now();
        isRefused(JwksServer.token(
                key,
                JWSAlgorithm.RS256,
                claims().expirationTime(Date.from(now.minusSeconds(120))).build()));
        isRefused(JwksServer.token(
                key,
                JWSAlgorithm.RS256,
                claims().notBeforeTime(Date.from(now.plusSeconds(120))).build()));
    }

    @Test
    @Contract("Kept: a JWT is checked against AUTH_JWKS_ENDPOINT, needs sub, and has the role client")
    void a_jwt_without_a_subject_is_refused() {
        isRefused(
                JwksServer.token(key, JWSAlgorithm.RS256, claims().subject(null).build()));
    }

    @Test
    void another_algorithm_than_the_configured_one_is_refused() throws Exception {
        isRefused(JwksServer.token(key, JWSAlgorithm.RS512, claims().build()));
        isRefused(JwksServer.token(key, JWSAlgorithm.PS256, claims().build()));
        isRefused(new PlainJWT(claims().build()).serialize());
        // The public key, which everybody has, used as a secret.
        SignedJWT mac = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("one").build(), claims().build());
        mac.sign(new MACSigner(key.toRSAPublicKey().getEncoded()));
        isRefused(mac.serialize());
    }

    @Test
    void a_signature_by_another_key_of_the_same_name_is_refused() {
        isRefused(JwksServer.token(JwksServer.key("one"), JWSAlgorithm.RS256, claims().build()));
    }

    @Test
    void a_key_that_the_token_brings_along_or_points_to_does_not_count() throws Exception {
        RSAKey own = JwksServer.key("own");
        SignedJWT embedded = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.RS256).jwk(own.toPublicJWK()).build(), claims().build());
        embedded.sign(new RSASSASigner(own));
        isRefused(embedded.serialize());
        try (JwksServer attacker = new JwksServer()) {
            attacker.publish(own);
            SignedJWT pointing = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.RS256)
                            .keyID("own")
                            .jwkURL(URI.create(attacker.url()))
                            .build(),
                    claims().build());
            pointing.sign(new RSASSASigner(own));
            isRefused(pointing.serialize());
            assertThat(attacker.asked).hasValue(0);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "null",
                "{\"alg\":null}",
                "{\"alg\":7}",
                "{\"alg\":\"RS256\",\"kid\":7}",
                "{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"x\"],\"x\":1}",
                "{\"alg\":\"RS256\",\"kid\":\"one\",\"b64\":false,\"crit\":[\"b64\"]}",
                "{\"alg\":\"RS256\",\"kid\":\"one\",\"x5c\":[\"x\"]}",
                "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}",
                "{\"alg\":\"RS256\",\"kid\":\"../../../etc/passwd\"}",
            })
    void a_header_that_makes_no_sense_is_401_and_never_500(String header) {
        String first = Base64.getUrlEncoder().withoutPadding().encodeToString(header.getBytes(StandardCharsets.UTF_8));
        String[] parts = valid().split("\\.");
        isRefused("x" + first + "." + parts[1] + "." + parts[2]);
        isRefused((first.isEmpty() ? "x" : first) + "." + parts[1] + "." + parts[2]);
        isRefused((first.isEmpty() ? "x" : first) + "." + parts[1] + "." + parts[2] + "." + parts[1] + "." + parts[2]);
        isRefused(parts[0] + ".." + parts[2]);
        isRefused(parts[0] + "." + first + "." + parts[2]);
    }

    @Test
    void a_jwt_that_was_changed_is_refused() {
        String[] parts = valid().split("\\.");
        String[] others = JwksServer.token(
                        key, JWSAlgorithm.RS256, claims().subject("user-8").build())
                .split("\\.");
        isRefused(parts[0] + "." + others[1] + "." + parts[2]);
        isRefused(parts[0] + "." + parts[1] + ".");
        isRefused(parts[0] + "." + parts[1]);
    }

    @Test
    void an_unknown_key_id_makes_us_ask_again_but_not_without_end() {
        assertThat(query(valid()).statusCode()).isEqualTo(200);
        String unknown = JwksServer.token(otherKey, JWSAlgorithm.RS256, claims().build());
        for (int i = 0; i < 5; i++) isRefused(unknown);
        assertThat(provider.asked.get()).isLessThanOrEqualTo(2);
        assertThat(query(valid()).statusCode()).isEqualTo(200);
    }

    @Test
    void a_new_key_is_found_and_a_withdrawn_one_forgotten_once_the_pause_is_over() {
        try (JwtVerifier verifier = new JwtVerifier(provider.url(), "RS256", Duration.ZERO)) {
            assertThat(verifier.caller(valid()).subject()).hasValue("user-7");
            provider.publish(otherKey);
            String rotated = JwksServer.token(otherKey, JWSAlgorithm.RS256, claims().build());
            assertThat(verifier.caller(rotated).subject()).hasValue("user-7");
            assertThatThrownBy(() -> verifier.caller(valid()))
                    .isInstanceOfSatisfying(
                            PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.UNAUTHORIZED));
        }
    }

    @Test
    void keys_that_were_read_once_are_used_on_while_the_endpoint_is_down() {
        assertThat(query(valid()).statusCode()).isEqualTo(200);
        provider.answerWith(500);
        assertThat(query(valid()).statusCode()).isEqualTo(200);
        provider.close();
        assertThat(query(valid()).statusCode()).isEqualTo(200);
        String unknown = JwksServer.token(otherKey, JWSAlgorithm.RS256, claims().build());
        for (int i = 0; i < 3; i++) isRefused(unknown);
        assertThat(query(valid()).statusCode()).isEqualTo(200);
    }

    @Test
    void an_endpoint_that_never_gave_keys_is_503_for_jwts_and_nothing_for_tokens() {
        provider.answerWith(500);
        HttpResponse<String> answer = query(valid());
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertThat(answer.body()).contains("AUTH_JWKS_ENDPOINT").doesNotContain("user-7");
        assertThat(query(ServedStore.CLIENT).statusCode()).isEqualTo(200);
    }
}
