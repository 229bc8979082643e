package dev.perigee.replication;

import dev.perigee.replication.state.Guarantee;
import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import dev.perigee.source.SourceReport;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a source answers and shows, as `GET /replication/source` and `perigee doctor --json` have it. The fields are
/// explained in `docs/sources/postgresql.md`.
///
/// @param guarantee the best that can be promised about a copy: `complete` or `settled`
/// @param answers whether each function and view answers that proofs are made of
public record SourceView(
        String product,
        String place,
        String user,
        boolean isStandby,
        boolean isPooled,
        List<String> extensions,
        String guarantee,
        Map<String, Boolean> answers,
        List<ObstacleView> obstacles,
        Instant askedAt) {

    /// @param effect `wrong`, `weaker`, `dearer` or `note`, see [Obstacle.Effect]
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
                report.product(),
                report.place(),
                report.user(),
                report.isStandby(),
                report.isPooled(),
                report.extensions(),
                report.sight() == Horizon.Sight.ALL ? Guarantee.COMPLETE : Guarantee.SETTLED,
                report.answers(),
                ObstacleView.of(report.obstacles()),
                askedAt);
    }
}
