package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import dev.perigee.source.SourceReport;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SourceViewTest {
    @Test
    void its_server_is_flat_in_json_and_in_the_documented_order() {
        SourceReport report = new SourceReport(
                new SourceReport.Server("PostgreSQL 18.6", "db:5432/shop", "reader", true, false, List.of("citus")),
                Map.of("pg_control_system", true),
                Horizon.Sight.ALL,
                List.of(Obstacle.of(Obstacle.Effect.NOTE, "what", "GRANT")));
        assertThat(Json.MAPPER.writeValueAsString(SourceView.of(report, Instant.EPOCH)))
                .isEqualTo("""
                        {"product":"PostgreSQL 18.6","place":"db:5432/shop","user":"reader","isStandby":true,\
                        "isPooled":false,"extensions":["citus"],"guarantee":"complete",\
                        "answers":{"pg_control_system":true},\
                        "obstacles":[{"effect":"note","what":"what","statements":["GRANT"]}],\
                        "askedAt":"1970-01-01T00:00:00Z"}""");
    }
}
