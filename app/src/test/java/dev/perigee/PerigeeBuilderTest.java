package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StudioConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PerigeeBuilderTest {
    @TempDir
    Path folder;

    @Test
    void a_change_of_the_settings_reaches_the_plugins_that_ship() throws Exception {
        try (Perigee plain = builder().start()) {
            assertThat(status(plain)).isEqualTo(404);
        }
        StudioConfig studio = new StudioConfig(Optional.of("somebody"), Optional.of("a-long-password"));
        try (Perigee changed = builder()
                .configure(config -> config.with(config.bundled().with(studio)))
                .start()) {
            assertThat(status(changed)).isEqualTo(200);
        }
    }

    private PerigeeBuilder builder() {
        return Perigee.builder().data(folder).adminToken("the-admins-token").port(0);
    }

    private static int status(Perigee perigee) throws IOException, InterruptedException {
        URI page = URI.create("http://127.0.0.1:%d/studio".formatted(perigee.port()));
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(page).build(), BodyHandlers.discarding())
                    .statusCode();
        }
    }
}
