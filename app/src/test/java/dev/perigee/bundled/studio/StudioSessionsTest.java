package dev.perigee.bundled.studio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.StudioConfig;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Upload;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// How long sessions last, and how often a password may be wrong.
class StudioSessionsTest {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final StudioSessions sessions =
            new StudioSessions(new StudioConfig(Optional.of("me"), Optional.of("pass")), () -> now);

    private String signIn() {
        return sessions.signIn(new Asked("10.0.0.1", ""), "me", "pass").cookie();
    }

    private boolean isKnown(String cookie) {
        return sessions.find(new Asked("10.0.0.1", cookie)).isPresent();
    }

    private void pass(Duration time) {
        now = now.plus(time);
    }

    @Test
    void a_session_that_is_not_used_ends_after_half_an_hour() {
        String cookie = signIn();
        pass(Duration.ofMinutes(29));
        assertThat(isKnown(cookie)).isTrue();
        pass(Duration.ofMinutes(29));
        assertThat(isKnown(cookie)).isTrue();
        pass(Duration.ofMinutes(31));
        assertThat(isKnown(cookie)).isFalse();
    }

    @Test
    void a_session_in_use_ends_after_twelve_hours() {
        String cookie = signIn();
        for (int i = 0; i < 36; i++) {
            pass(Duration.ofMinutes(20));
            assertThat(isKnown(cookie)).isTrue();
        }
        pass(Duration.ofMinutes(1));
        assertThat(isKnown(cookie)).isFalse();
    }

    @Test
    void of_too_many_sessions_the_one_least_recently_used_ends() {
        List<String> cookies = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            cookies.add(signIn());
            pass(Duration.ofSeconds(1));
        }
        assertThat(isKnown(cookies.getFirst())).isTrue(); // Used now.
        signIn();
        assertThat(isKnown(cookies.get(0))).isTrue();
        assertThat(isKnown(cookies.get(1))).isFalse();
        assertThat(isKnown(cookies.get(2))).isTrue();
    }

    @Test
    void a_strangers_guesses_do_not_keep_out_who_knows_the_password() {
        Asked stranger = new Asked("10.6.6.6", "");
        for (int i = 0; i < 10; i++) {
            assertThatThrownBy(() -> sessions.signIn(stranger, "me", "wrong")).hasMessageContaining("is wrong");
        }
        assertThatThrownBy(() -> sessions.signIn(stranger, "me", "pass")).hasMessageContaining("Too many");
        assertThat(isKnown(signIn())).isTrue();
        pass(Duration.ofSeconds(61));
        sessions.signIn(stranger, "me", "pass");
    }

    @Test
    void guesses_from_many_addresses_are_bounded_together() {
        for (int i = 0; i < 200; i++) {
            Asked one = new Asked("10.1.0." + i, "");
            assertThatThrownBy(() -> sessions.signIn(one, "me", "wrong")).hasMessageContaining("is wrong");
        }
        assertThatThrownBy(() -> sessions.signIn(new Asked("10.2.0.1", ""), "me", "wrong"))
                .hasMessageContaining("Too many");
    }

    /// What a session's keeper looks at: from where, and which cookie.
    private record Asked(String address, String cookie) implements Request {
        @Override
        public Optional<String> header(String name) {
            return name.equals("Cookie")
                    ? Optional.of("a=b; " + StudioSessions.COOKIE + "=" + cookie)
                    : Optional.empty();
        }

        @Override
        public boolean isEncrypted() {
            return false;
        }

        @Override
        public void audited() {}

        @Override
        public String method() {
            return "POST";
        }

        @Override
        public String path() {
            return "/studio/login";
        }

        @Override
        public String pathParameter(String name) {
            throw new IllegalArgumentException(name);
        }

        @Override
        public Map<String, String> pathParameters() {
            return Map.of();
        }

        @Override
        public Optional<String> query(String name) {
            return Optional.empty();
        }

        @Override
        public Map<String, List<String>> queryParameters() {
            return Map.of();
        }

        @Override
        public Caller caller() {
            return Caller.NOBODY;
        }

        @Override
        public Cancellation cancellation() {
            return new Cancellation();
        }

        @Override
        public byte[] body() {
            return new byte[0];
        }

        @Override
        public Upload upload(String field, Path folder) {
            throw new IllegalStateException("no upload");
        }

        @Override
        public JsonNode json() {
            throw new IllegalStateException("no body");
        }
    }
}
