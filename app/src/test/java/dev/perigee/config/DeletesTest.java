package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.Deletes.Ignore;
import dev.perigee.config.Deletes.Soft;
import dev.perigee.config.Deletes.Sweep;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeletesTest {
    @Test
    void each_way_is_read_from_its_text() {
        assertThat(Deletes.parse("ignore")).isEqualTo(new Ignore());
        assertThat(Deletes.parse("soft(deleted_at)")).isEqualTo(new Soft("deleted_at"));
        assertThat(Deletes.parse("soft(odd) (name)")).isEqualTo(new Soft("odd) (name"));
        assertThat(Deletes.parse("sweep(10m)")).isEqualTo(new Sweep(Duration.ofMinutes(10)));
        assertThat(Deletes.parse("sweep(600s)").text()).isEqualTo("sweep(10m)");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                    | ignore, soft(column) or sweep(interval)
            Ignore                | ignore, soft(column) or sweep(interval)
            soft                  | ignore, soft(column) or sweep(interval)
            soft()                | a column's name between soft( and )
            sweep                 | ignore, soft(column) or sweep(interval)
            sweep(10m             | ignore, soft(column) or sweep(interval)
            sweep()               | a duration between sweep( and )
            sweep(often)          | a duration between sweep( and )
            sweep(999ms)          | 1s to 366d between two sweeps
            sweep(367d)           | 1s to 366d between two sweeps
            sweep(999999999999d)  | a duration between sweep( and )
            """, quoteCharacter = '\'')
    void what_is_none_is_refused_with_what_was_expected(String text, String expected) {
        assertThatThrownBy(() -> Deletes.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(expected);
    }

    @Test
    void what_is_written_is_read_back() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            Deletes deletes = switch (random.nextInt(3)) {
                case 0 -> new Ignore();
                case 1 -> new Soft(column(random));
                default ->
                    new Sweep(Duration.ofNanos(
                            random.nextLong(Deletes.MIN_SWEEP.toNanos(), Deletes.MAX_SWEEP.toNanos() + 1)));
            };
            assertThat(Deletes.parse(deletes.text())).as("seed %d", seed).isEqualTo(deletes);
        }
    }

    private static String column(Random random) {
        StringBuilder name = new StringBuilder();
        for (int length = random.nextInt(1, 20); length > 0; length--) {
            name.append(
                    random.nextInt(4) == 0 ? "()\" ,".charAt(random.nextInt(5)) : (char) random.nextInt(' ', 0xD800));
        }
        return name.toString();
    }
}
