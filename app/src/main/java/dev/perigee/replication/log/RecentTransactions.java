package dev.perigee.replication.log;

import dev.perigee.source.VisibleTransactions;

/// The numbers of the transactions that were read from the log last. The source writes a commit to its log a moment
/// before its snapshots show it. So a snapshot that is taken now may lack what was read already. Safe for many threads.
final class RecentTransactions {
    /// More than a server has sessions, each of which commits one transaction at a time.
    private static final int KEPT = 1 << 14;

    private final int[] numbers = new int[KEPT];
    private long count;

    /// @param number the lower 32 bits of the transaction's number
    synchronized void add(int number) {
        numbers[(int) (count++ % KEPT)] = number;
    }

    /// Whether a snapshot shows all of them.
    synchronized boolean areShown(VisibleTransactions snapshot) {
        for (int i = 0; i < Math.min(count, KEPT); i++) {
            if (!snapshot.hasEnded(snapshot.whole(numbers[i]))) return false;
        }
        return true;
    }

    /// To be called when another server is followed.
    synchronized void clear() {
        count = 0;
    }
}
