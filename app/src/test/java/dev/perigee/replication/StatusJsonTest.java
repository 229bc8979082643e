package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import dev.perigee.replication.TableStatus.Copy;
import dev.perigee.replication.TableStatus.Failing;
import dev.perigee.replication.TableStatus.Promise;
import dev.perigee.replication.TableStatus.Settings;
import dev.perigee.replication.TableStatus.Syncs;
import dev.perigee.replication.TableStatus.UnderWay;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.sync.Progress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The JSON of tables and runs is one flat object each, although the records have parts.
class StatusJsonTest {
    private static final Instant AT = Instant.EPOCH;

    @Test
    void a_table_is_one_flat_object() {
        TableStatus status = new TableStatus(
                "name",
                Optional.of("copy"),
                new Settings(
                        "cursor",
                        Optional.of("g"),
                        Optional.of("c"),
                        Optional.of(1L),
                        Optional.of("* * * * *"),
                        Optional.of("c > 1")),
                new Copy(Optional.of("7"), Optional.of(List.of("1")), List.of("id"), 4, 1, 2, 3, 4),
                new Syncs(Optional.of(AT), Optional.of(AT), "idle", Optional.of(5L)),
                new Promise("complete", Optional.of(AT), Optional.of("0/1"), Optional.empty(), Optional.empty()),
                new Failing(0, Optional.empty()),
                new UnderWay(
                        Optional.of(Progress.of(0, Optional.empty(), 0)),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()),
                List.of(),
                List.of());
        assertThat(fields(status))
                .containsExactly(
                        "name",
                        "target",
                        "mode",
                        "group",
                        "cursorColumn",
                        "intervalMs",
                        "cron",
                        "where",
                        "cursor",
                        "cursorKey",
                        "key",
                        "columnCount",
                        "rowCount",
                        "rowsPulled",
                        "textNumbers",
                        "setAside",
                        "lastSyncAt",
                        "nextSyncAt",
                        "state",
                        "lag",
                        "guarantee",
                        "completeAsOf",
                        "position",
                        "failures",
                        "progress",
                        "attention",
                        "notes");
    }

    @Test
    void a_run_is_one_flat_object() {
        Run run = Run.begin(1, "t", Run.Kind.SYNC, AT)
                .after(new RowCounts(1, 2, 3, 4), Optional.of("7"))
                .finished(Run.Outcome.FAILED, AT, Optional.of(new Problem("FAULT", "message", "remedy")))
                .noted(Optional.of("note"));
        assertThat(fields(RunView.of(run, AT)))
                .containsExactly(
                        "id",
                        "table",
                        "kind",
                        "outcome",
                        "startedAt",
                        "finishedAt",
                        "ms",
                        "inserted",
                        "updated",
                        "deleted",
                        "unchanged",
                        "pages",
                        "cursor",
                        "error",
                        "note");
    }

    private static List<String> fields(Object record) {
        return List.copyOf(Json.MAPPER.valueToTree(record).propertyNames());
    }
}
