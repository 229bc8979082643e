package dev.perigee.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Settings of the tasks in `tmp_cron_tasks`.
///
/// @param secret the key that signs callbacks; absent: a key derived from the admin's token
/// @param missed what happens to runs whose time passed while the server was down
/// @param callbackHosts hosts, as `host` or `host:port`, that tasks may call; empty for all but link-local ones
/// @param pluginLimit the time that the plugins have for one run
public record CronConfig(Optional<String> secret, Missed missed, List<String> callbackHosts, Duration pluginLimit) {
    public enum Missed {
        /// One run makes up for all missed ones.
        ONCE,
        /// Missed runs are dropped; the task runs at its next time.
        SKIP
    }

    public static final CronConfig DEFAULTS =
            new CronConfig(Optional.empty(), Missed.ONCE, List.of(), Duration.ofMinutes(5));

    public CronConfig {
        callbackHosts = List.copyOf(callbackHosts);
    }

    @Override
    public String toString() {
        return "CronConfig[missed %s]".formatted(missed); // never the secret
    }
}
