package dev.perigee.replication.check;

import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.util.Optional;

/// A table's last sweep, as the status shows it. The fields are explained in `docs/replication.md`.
///
/// @param verdict `clean`, `deleted`, `unconfirmed` or `failed`
/// @param at when it ended
/// @param compared rows of the copy that were compared with the source
/// @param exchanged keys the source sent for that
/// @param deleted rows removed from the copy
/// @param missing rows the source had that the copy did not have yet, among the keys sent
/// @param asOf the time at the source it was compared as of
/// @param position where the source's log stood then
/// @param awaiting rows that are removed once somebody confirms it
/// @param error why it failed, or what has to be confirmed
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
