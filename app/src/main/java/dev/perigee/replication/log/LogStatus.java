package dev.perigee.replication.log;

import dev.perigee.replication.state.Problem;
import java.util.Optional;

/// Where the follower of the source's log stands.
///
/// @param state `following`; `held` while the rows of a table are read; `failing`; `waiting` while there is nothing to
///     follow
/// @param position everything before it was applied
/// @param lagBytes bytes of the log that were not applied yet when the source was asked last; -1 where it is not known
/// @param lagMs milliseconds since the last moment up to which everything was applied; -1 where there is none
/// @param retainedBytes bytes of its log that the source keeps; -1 where it is not known
/// @param problem why the log cannot be followed at present
public record LogStatus(
        String state, long position, long lagBytes, long lagMs, long retainedBytes, Optional<Problem> problem) {}
