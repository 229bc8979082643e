package dev.perigee.replication.state;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Moment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// How far a table is sealed: the second of its two marks, and what is needed to move it.
///
/// A transaction may take its cursor value early and commit late, behind rows that were pulled meanwhile. So beside
/// `seen`, the greatest mark pulled, there is `sealed`: below it nothing can appear any more. A sync pulls what is
/// greater than `seen`, and what came late between the two; it remembers its moment and `seen`. Once every transaction
/// that was open at a remembered moment has ended, whatever is committed later has greater cursor values than all that
/// was there then, so that moment's `seen` becomes `sealed`.
///
/// Late rows are those of `(sealed, seen]` that were written after the moment at which such rows were last looked for.
///
/// @param sealed empty where nothing is sealed yet
/// @param lookedSince [Moment#mark] of the last snapshot in which everything late was pulled; while a table is loaded,
///     of the snapshot its first rows came from
/// @param open moments not sealed yet, oldest first
/// @see <a href="https://www.postgresql.org/docs/current/functions-info.html">pg_current_snapshot</a>
public record Sealing(Optional<HighWaterMark> sealed, Optional<String> lookedSince, List<Open> open) {
    /// Moments remembered at most. When there are more, every second one is forgotten, which only delays the sealing.
    static final int MAX_OPEN = 64;

    /// Nothing was pulled yet.
    public static final Sealing NONE = new Sealing(Optional.empty(), Optional.empty(), List.of());

    /// @param seen the mark that becomes sealed with this moment
    record Open(Moment moment, HighWaterMark seen) {}

    public Sealing {
        open = List.copyOf(open);
    }

    /// Whether rows may have come late. False where everything up to `seen` is sealed.
    public boolean isOpen(HighWaterMark seen) {
        return !sealed.equals(Optional.of(seen));
    }

    /// Whether a sync could seal more of the table, or has a mark to remember.
    ///
    /// @param isSealed as for [#looked]
    public boolean isSealable(Predicate<Moment> isSealed) {
        return open.isEmpty() || isSealed.test(open.getFirst().moment());
    }

    /// The marks after a sync that looked for late rows in the snapshot of `now`, and so found all that had come until
    /// then.
    ///
    /// @param seen the mark that becomes sealed with `now`; empty where no row was seen yet
    /// @param isSealed whether all transactions that were open at a moment have ended
    public Sealing looked(Moment now, Optional<HighWaterMark> seen, Predicate<Moment> isSealed) {
        Optional<HighWaterMark> newest = sealed;
        List<Open> left = new ArrayList<>();
        for (Open one : open) {
            if (left.isEmpty() && isSealed.test(one.moment())) newest = Optional.of(one.seen());
            else left.add(one);
        }
        return new Sealing(newest, Optional.of(now.mark()), left).remembering(now, seen);
    }

    /// The marks after a sync that pulled the rows above `seen` and did not look for late rows.
    public Sealing remembering(Moment now, Optional<HighWaterMark> seen) {
        boolean isKnown = seen.isEmpty()
                || seen.equals(
                        open.isEmpty() ? sealed : Optional.of(open.getLast().seen()));
        if (isKnown) return this;
        List<Open> more = new ArrayList<>(open);
        if (more.size() >= MAX_OPEN) {
            for (int i = more.size() - 2; i > 0; i -= 2) more.remove(i);
        }
        more.add(new Open(now, seen.get()));
        return new Sealing(sealed, lookedSince, more);
    }
}
