package dev.perigee.replication.check;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// A table's last sweep, as the status shows it. The fields are explained in `docs/replication.md`.
///
/// @param verdict `clean`, `deleted`, `unconfirmed` or `failed`
/// @param at when the sweep ended
/// @param rows what it compared and removed: its fields stand beside the others in JSON, as those of `snapshot` do
/// @param awaiting the number of rows that are removed once an admin confirms it
/// @param error why the sweep failed, or what has to be confirmed
public record SweepStatus(
        String verdict,
        Instant at,
        @JsonUnwrapped Sweep.Rows rows,
        @JsonUnwrapped SnapshotTime snapshot,
        Optional<Long> awaiting,
        Optional<Problem> error) {

    public static SweepStatus of(Sweep sweep) {
        return new SweepStatus(
                ConfigRecords.word(sweep.verdict()),
                sweep.at(),
                sweep.rows(),
                sweep.snapshot(),
                sweep.awaiting() == 0 ? Optional.empty() : Optional.of(sweep.awaiting()),
                sweep.error());
    }
}
