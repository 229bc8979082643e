package dev.perigee.replication.freshness;

import dev.perigee.source.Identity;
import dev.perigee.statement.FreshnessToken;
import java.util.Optional;

/// Which server a snapshot is of, and which of its histories the server followed.
///
/// @param system the server's system identifier; [FreshnessToken#UNKNOWN_SYSTEM] where it does not tell
/// @param timeline a failover or a restore begins another; 0 where the server does not tell
public record History(String system, long timeline) {
    public static History of(Optional<Identity.Server> server) {
        return new History(
                server.flatMap(Identity.Server::system).orElse(FreshnessToken.UNKNOWN_SYSTEM),
                server.flatMap(Identity.Server::timeline).orElse(0L));
    }

    /// Whether a token of this system may be of the same server.
    boolean isOf(String other) {
        String unknown = FreshnessToken.UNKNOWN_SYSTEM;
        return system.equals(other) || system.equals(unknown) || other.equals(unknown);
    }

    /// Whether a token of this timeline may be of the same history.
    boolean isOf(long other) {
        return timeline == other || timeline == 0 || other == 0;
    }
}
