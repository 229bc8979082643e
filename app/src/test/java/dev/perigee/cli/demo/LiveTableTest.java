package dev.perigee.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.replication.TableStatus;
import dev.perigee.replication.TableStatus.Copy;
import dev.perigee.replication.TableStatus.Failing;
import dev.perigee.replication.TableStatus.LastError;
import dev.perigee.replication.TableStatus.Promise;
import dev.perigee.replication.TableStatus.Settings;
import dev.perigee.replication.TableStatus.Syncs;
import dev.perigee.replication.TableStatus.UnderWay;
import dev.perigee.testing.Golden;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What the terminal shows, as text.
class LiveTableTest {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private final LiveTable table = new LiveTable();

    @Test
    void it_shows_where_each_table_stands_and_what_failed() throws IOException {
        table.lines(tables(0), START);
        List<String> lines = table.lines(tables(1250), START.plusMillis(2500));
        Golden.assertMatches("demo-table.txt", String.join("\n", lines));
        assertThat(lines)
                .filteredOn(line -> !line.contains("failing"))
                .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
    }

    @Test
    void where_nothing_can_be_drawn_again_it_is_one_line() throws IOException {
        table.summary(tables(0), START);
        Golden.assertMatches("demo-line.txt", table.summary(tables(1250), START.plusMillis(2500)));
    }

    @Test
    void the_rate_is_that_of_the_last_seconds_and_not_of_the_whole_run() {
        table.lines(tables(0), START);
        for (int second = 1; second <= 20; second++) table.lines(tables(100_000), START.plusSeconds(second));
        assertThat(table.lines(tables(100_050), START.plusSeconds(21)).get(1)).contains("     10  idle");
    }

    @Test
    void a_terminal_gets_the_block_drawn_over_the_last_one_and_a_said_line_stays() {
        StringWriter text = new StringWriter();
        Screen screen = new Screen(new PrintWriter(text), true);
        screen.draw(List.of("a", "b"));
        screen.draw(List.of("c", "d"));
        screen.say("stays");
        screen.draw(List.of("e"));
        String shown = text.toString().replace(System.lineSeparator(), "\n");
        assertThat(shown.replace("\u001b[?7l", "<").replace("\u001b[?7h", ">"))
                .isEqualTo("<a\nb\n>\u001b[2A\u001b[J<c\nd\n>stays\n<e\n>");
    }

    private static List<TableStatus> tables(long pulled) {
        return List.of(
                status("orders", "2026-11-24T12:00:01.172835Z", 20_000, pulled, "idle", 140L, null),
                status("events", "123456789012345678901234567890", 1_234_567, pulled / 500, "syncing", 61_200L, null),
                status("customers", null, 0, 0, "failing", null, "SOURCE_UNREACHABLE"));
    }

    private static TableStatus status(
            String name, String cursor, long rows, long pulled, String state, Long lag, String fault) {
        return new TableStatus(
                name,
                Optional.of(name),
                new Settings(
                        "cursor",
                        Optional.empty(),
                        Optional.of("updated_at"),
                        Optional.of(1000L),
                        Optional.empty(),
                        Optional.empty()),
                new Copy(Optional.ofNullable(cursor), Optional.empty(), List.of("id"), 4, rows, pulled, 0, 0),
                new Syncs(Optional.empty(), Optional.empty(), state, Optional.ofNullable(lag)),
                new Promise("complete", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()),
                new Failing(0, Optional.ofNullable(fault).map(f -> new LastError(f, "message", "remedy", START))),
                new UnderWay(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()),
                List.of(),
                List.of());
    }
}
