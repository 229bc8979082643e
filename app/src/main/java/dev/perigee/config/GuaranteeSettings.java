package dev.perigee.config;

import dev.perigee.config.TableConfig.StampedBy;
import java.time.Duration;
import java.util.Optional;

/// Settings that keep a copy equal to its source: how late rows, deleted rows and other differences are found.
///
/// @param settle how long after its cursor value a row may still be committed; used where the source cannot prove that
///     no transaction is open
/// @param stampedBy who writes the cursor's values
/// @param verify time between two verifications of the copy against the source, in whole milliseconds; absent: only on
///     demand
/// @param deletes how rows that the source deleted leave the copy
/// @param maxDeletedShare a sweep that would remove a greater share of the copy needs a confirmation; above 0, at most
///     1
public record GuaranteeSettings(
        Duration settle, StampedBy stampedBy, Optional<Duration> verify, Deletes deletes, double maxDeletedShare) {
    public static final Duration DEFAULT_SETTLE = Duration.ofSeconds(10);
    public static final Duration MAX_SETTLE = Duration.ofHours(1);
    public static final Duration MIN_VERIFY = Duration.ofMinutes(1);
    public static final Duration MAX_VERIFY = TableConfig.MAX_INTERVAL;
    public static final double DEFAULT_MAX_DELETED_SHARE = 0.2;

    public static GuaranteeSettings defaults() {
        return new GuaranteeSettings(
                DEFAULT_SETTLE, StampedBy.AUTO, Optional.empty(), new Deletes.Ignore(), DEFAULT_MAX_DELETED_SHARE);
    }
}
