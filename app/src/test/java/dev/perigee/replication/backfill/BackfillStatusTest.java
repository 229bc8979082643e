package dev.perigee.replication.backfill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.Progress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackfillStatusTest {
    @Test
    void its_parts_are_flat_in_json_and_in_the_documented_order() {
        BackfillScope scope = new BackfillScope(Optional.empty(), Optional.of(List.of("3")), Optional.of(List.of("9")));
        Backfill backfill = Backfill.begin(new Backfill.Job("t", scope, 2, 7, Instant.EPOCH), Optional.of(20L))
                .fetched(Optional.of(List.of("5")), 15, new RowCounts(1, 2, 3, 4))
                .failed(new Problem("INTERNAL", "what", "remedy"));
        Progress progress = new Progress(15, Optional.of(20L), 1.5, Optional.empty());
        assertThat(Json.MAPPER.writeValueAsString(BackfillStatus.of(backfill, "failing", progress)))
                .isEqualTo("""
                        {"state":"failing","run":7,"phase":"fetching","from":["3"],"to":["9"],\
                        "startedAt":"1970-01-01T00:00:00Z",\
                        "progress":{"rows":15,"estimatedRows":20,"rowsPerSecond":1.5},\
                        "inserted":1,"updated":2,"deleted":3,"unchanged":4,\
                        "error":{"fault":"INTERNAL","message":"what","remedy":"remedy","retryable":false}}""");
    }
}
