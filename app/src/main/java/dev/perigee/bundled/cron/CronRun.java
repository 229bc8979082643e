package dev.perigee.bundled.cron;

import java.time.Instant;
import java.util.Optional;

/// One run of a task, or why there was none.
///
/// @param due when it was due
/// @param attempts how often its callback was tried
record CronRun(
        String name, Instant due, Instant started, long ms, Outcome outcome, int attempts, Optional<String> error) {
    /// Maximum number of characters kept of an error.
    private static final int MAX_ERROR_CHARS = 2000;

    CronRun {
        error = error.map(text -> text.length() <= MAX_ERROR_CHARS ? text : text.substring(0, MAX_ERROR_CHARS) + "…");
    }

    enum Outcome {
        DONE,
        FAILED,
        /// Its time passed while the server was not running.
        MISSED,
        /// The run before it had not ended.
        OVERLAPPED
    }
}
