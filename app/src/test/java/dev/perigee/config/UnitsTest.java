package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {
    @Test
    void sizes_count_a_kilobyte_as_1024_bytes() {
        assertThat(Units.bytes("512")).contains(512L);
        assertThat(Units.bytes(" 64 KB ")).contains(65_536L);
        assertThat(Units.bytes("16MiB")).contains(16L << 20);
        assertThat(Units.bytes("2gb")).contains(2L << 30);
        assertThat(Units.bytes("1TB")).contains(1L << 40);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MB", "1.5MB", "-1", "12XB", "999999999999999999TB", "1 2", "1PB"})
    void what_is_no_size_is_none(String text) {
        assertThat(Units.bytes(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "1.5s", "-1s", "5 minutes", "s", "1w", "9999999999999s", "999999999999d"})
    void what_is_no_duration_is_none(String text) {
        assertThat(Units.duration(text)).isEmpty();
    }

    @Test
    void what_is_written_is_read_back() {
        Random random = new Random(20_261_124);
        for (int i = 0; i < 10_000; i++) {
            Duration duration = Duration.ofMillis(random.nextLong(1L << random.nextInt(1, 40)));
            assertThat(Units.duration(Units.text(duration))).contains(duration);
            long bytes = random.nextLong(1L << random.nextInt(1, 40)) << random.nextInt(0, 20);
            assertThat(Units.bytes(Units.text(bytes))).contains(bytes);
        }
    }

    @Test
    void a_near_name_is_found_across_slips_and_separators() {
        List<String> known = List.of("cursorColumn", "columns", "port", "host", "walLimitBytes", "key");

        assertThat(NameSuggestion.of("cursor_column", known)).contains("cursorColumn");
        assertThat(NameSuggestion.of("prot", known)).contains("port");
        assertThat(NameSuggestion.of("wallimitbyte", known)).contains("walLimitBytes");
        assertThat(NameSuggestion.of("keys", known)).contains("key");
        assertThat(NameSuggestion.of("password", known)).isEmpty();
        assertThat(NameSuggestion.hint("password", known))
                .isEqualTo("expected one of columns, cursorColumn, host, key, port, walLimitBytes");
    }
}
