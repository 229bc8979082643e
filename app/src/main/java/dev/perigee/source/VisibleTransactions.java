package dev.perigee.source;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/// Which transactions of the source had ended when a snapshot was taken. The snapshot sees those of them that
/// committed.
///
/// Transactions have numbers in the order in which they began to write. Every number below `lowest` had ended, and none
/// from `next` on had begun. Those in between had ended unless they are in `running`.
///
/// @param running in ascending order
/// @param isListed false where the source does not tell which transactions ran. Everything between `lowest` and `next`
///     then counts as running
public record VisibleTransactions(long lowest, long next, List<Long> running, boolean isListed) {
    public VisibleTransactions {
        running = List.copyOf(running);
    }

    /// @param running in any order
    public static VisibleTransactions of(long lowest, long next, long[] running, boolean isListed) {
        return new VisibleTransactions(
                lowest, next, Arrays.stream(running).sorted().boxed().toList(), isListed);
    }

    /// Reads a snapshot as PostgreSQL writes it: `10:20:10,14,15`.
    ///
    /// @param isListed see [#isListed]. A standby's snapshot lists none of the running transactions
    public static VisibleTransactions parse(String snapshot, boolean isListed) {
        String[] parts = snapshot.split(":", 3);
        long[] running = parts[2].isEmpty()
                ? new long[0]
                : Arrays.stream(parts[2].split(",")).mapToLong(Long::parseLong).toArray();
        return of(Long.parseLong(parts[0]), Long.parseLong(parts[1]), running, isListed);
    }

    /// The snapshot as [#parse] reads it.
    public String text() {
        return lowest + ":" + next + ":" + running.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /// The whole number of a transaction that ran near this snapshot.
    ///
    /// @param lower the lower 32 bits of its number
    public long whole(int lower) {
        return next + (lower - (int) next);
    }

    /// Whether the transaction had ended: the snapshot sees all of it, or it was rolled back.
    public boolean hasEnded(long number) {
        if (number < lowest) return true;
        return number < next && isListed && Collections.binarySearch(running, number) < 0;
    }
}
