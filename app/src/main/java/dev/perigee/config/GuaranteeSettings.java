package dev.perigee.config;

import dev.perigee.config.TableConfig.StampedBy;
import java.time.Duration;
import java.util.Optional;

/// What makes sure that a copy is its source: how rows that come late, deleted rows and plain differences are found.
///
/// @param settle where the source cannot prove that no transaction is still open: how long rows may come late
/// @param stampedBy who writes the cursor's values
/// @param verify time between two verifications of the copy against the source, in whole milliseconds; absent: none but
///     on demand
/// @param deletes how rows that the source deleted leave the copy
/// @param maxDeletedShare a sweep that would remove a greater share of the copy asks first, above 0 and 1 at most
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
