package dev.perigee.replication;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import dev.perigee.source.SourceReport;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a source says of itself, as `GET /replication/source` and `perigee doctor --json` show it. The fields are
/// explained in `docs/sources/postgresql.md`.
///
/// @param server the server, with its fields beside the others in JSON
/// @param guarantee the best guarantee that a copy of this source can have: `complete` or `settled`
/// @param answers by the name of each function and view that proofs depend on: whether the source answers it
/// @param obstacles what makes copies wrong, their guarantee weaker or their syncs dearer
/// @param askedAt when the source was asked
public record SourceView(
        @JsonUnwrapped SourceReport.Server server,
        String guarantee,
        Map<String, Boolean> answers,
        List<ObstacleView> obstacles,
        Instant askedAt) {

    /// @param effect `wrong`, `weaker`, `dearer` or `note`, see [Obstacle.Effect]
    /// @param statements SQL statements that remove the obstacle; one of them is enough
    public record ObstacleView(String effect, String what, List<String> statements) {
        public static List<ObstacleView> of(List<Obstacle> obstacles) {
            return obstacles.stream()
                    .map(one -> new ObstacleView(
                            one.effect().name().toLowerCase(Locale.ROOT), one.what(), one.statements()))
                    .toList();
        }
    }

    public static SourceView of(SourceReport report, Instant askedAt) {
        return new SourceView(
                report.server(),
                report.sight() == Horizon.Sight.ALL ? Guarantee.COMPLETE : Guarantee.SETTLED,
                report.answers(),
                ObstacleView.of(report.obstacles()),
                askedAt);
    }
}
