package dev.perigee.source.postgres.session;

import dev.perigee.source.Horizon.Sight;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Obstacle.Effect;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// What the server shows our user of its transactions, asked before each snapshot. What can be proved follows from it.
///
/// @param user the role that reads; behind a pooler it may differ from the name of the login
/// @param extensions the installed extensions that change how rows are read
/// @param obstacles why there may be open transactions that we do not see
public record TransactionVisibility(String user, boolean isStandby, List<String> extensions, List<Obstacle> obstacles) {
    public static final String CITUS = "citus";
    public static final String TIMESCALE = "timescaledb";

    /// The columns, in the statement that asks, about the server itself.
    public static final String ITSELF = """
            current_user::text AS reader,
            (SELECT coalesce(string_agg(extname, ',' ORDER BY extname), '') FROM pg_catalog.pg_extension
             WHERE extname IN ('%s', '%s')) AS extensions""".formatted(CITUS, TIMESCALE);

    /// @param row with the columns `is_standby`, `may_see`, `some_hide`, `shows_own` and [#ITSELF]
    public static TransactionVisibility of(ResultSet row, boolean showsSessions, boolean showsPrepared)
            throws SQLException {
        String user = row.getString("reader");
        String installed = row.getString("extensions");
        List<String> extensions = installed.isEmpty() ? List.of() : List.of(installed.split(","));
        boolean isStandby = row.getBoolean("is_standby");
        List<Obstacle> obstacles = new ArrayList<>();
        if (extensions.contains(CITUS)) {
            obstacles.add(weaker("it has Citus, and the transactions of its other servers are not seen"));
        }
        if (isStandby)
            obstacles.add(weaker("it is a standby, which does not know the transactions open on the primary"));
        if (!showsSessions) obstacles.add(weaker("it refuses pg_stat_activity, which shows open transactions"));
        if (!showsPrepared) obstacles.add(weaker("it refuses pg_prepared_xacts, which shows prepared transactions"));
        if (!row.getBoolean("may_see")) {
            obstacles.add(Obstacle.of(
                    Effect.WEAKER,
                    "%s may not see when other sessions' transactions began".formatted(user),
                    "GRANT pg_read_all_stats TO %s".formatted(PostgresNames.name(user))));
        }
        if (row.getBoolean("some_hide")) {
            obstacles.add(weaker("some sessions hide what they do (track_activities is off for them)"));
        } else if (!row.getBoolean("shows_own")) {
            obstacles.add(
                    weaker("it does not show our own transaction in pg_stat_activity, so others may be hidden too"));
        }
        return new TransactionVisibility(user, isStandby, extensions, List.copyOf(obstacles));
    }

    public Sight sight() {
        if (extensions.contains(CITUS)) return Sight.ONE_OF_MANY;
        return obstacles.isEmpty() ? Sight.ALL : Sight.SOME;
    }

    private static Obstacle weaker(String what) {
        return Obstacle.of(Effect.WEAKER, what);
    }
}
