package dev.perigee.replication.check;

import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// A table's last sweep, as the status shows it. The fields are explained in `docs/replication.md`.
///
/// @param verdict `clean`, `deleted`, `unconfirmed` or `failed`
/// @param at when the sweep ended
/// @param compared the number of rows of the copy that were compared with the source
/// @param exchanged the number of keys that the source sent for that
/// @param deleted the number of rows removed from the copy
/// @param missing the number of keys sent whose rows the copy did not have yet
/// @param asOf the time of the source's snapshot, by the source's clock
/// @param position where the source's log stood at the snapshot
/// @param awaiting the number of rows that are removed once an admin confirms it
/// @param error why the sweep failed, or what has to be confirmed
public record SweepStatus(
        String verdict,
        Instant at,
        long compared,
        long exchanged,
        long deleted,
        long missing,
        Optional<Instant> asOf,
        Optional<String> position,
        Optional<Long> awaiting,
        Optional<Problem> error) {

    public static SweepStatus of(Sweep sweep) {
        return new SweepStatus(
                ConfigRecords.word(sweep.verdict()),
                sweep.at(),
                sweep.compared(),
                sweep.exchanged(),
                sweep.deleted(),
                sweep.missing(),
                sweep.asOf(),
                sweep.position(),
                sweep.awaiting() == 0 ? Optional.empty() : Optional.of(sweep.awaiting()),
                sweep.error());
    }
}
