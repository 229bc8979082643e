package dev.perigee.replication;

import dev.perigee.replication.log.LogStatus;
import java.time.Instant;
import java.util.Optional;

/// Where the follower of the source's log stands, as the status of each table in mode `log` shows it. There is one for
/// all of them.
///
/// @param state see [LogStatus]
/// @param position everything before this position of the source's log was applied
/// @param lagBytes bytes of the log that were not applied yet when the source was asked last
/// @param lagMs milliseconds since the last moment up to which everything was applied
/// @param retainedBytes bytes of its log that the source keeps until they are applied
/// @param lastError why the log cannot be followed at present
public record LogView(
        String state,
        String position,
        Optional<Long> lagBytes,
        Optional<Long> lagMs,
        Optional<Long> retainedBytes,
        Optional<TableStatus.LastError> lastError) {
    static LogView of(LogStatus status, Instant now) {
        long position = status.position();
        return new LogView(
                status.state(),
                "%X/%X".formatted(position >>> 32, position & 0xFFFFFFFFL),
                known(status.lagBytes()),
                known(status.lagMs()),
                known(status.retainedBytes()),
                status.problem().map(problem -> TableStatus.LastError.of(problem, now)));
    }

    private static Optional<Long> known(long number) {
        return number < 0 ? Optional.empty() : Optional.of(number);
    }
}
