package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.replication.state.Sealing;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceColumn;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// Finds out which rows the next sync will fetch anyway: these are only behind, not lost. Sends the source the same
/// questions as a sync would, but asks for the keys only; see [dev.perigee.replication.sync.SyncRun].
final class PendingRows {
    private static final int PAGE_ROWS = 10_000;

    private final CheckTarget copy;
    private final Snapshot snapshot;
    private final Set<StoredKey> wanted;
    private final Set<StoredKey> found = new HashSet<>();

    private PendingRows(CheckTarget copy, Snapshot snapshot, Collection<StoredKey> wanted) {
        this.copy = copy;
        this.snapshot = snapshot;
        this.wanted = Set.copyOf(wanted);
    }

    /// Those of the `wanted` keys whose rows the next sync will fetch.
    ///
    /// @param copy the copy's state, read while no sync runs
    static Set<StoredKey> among(Collection<StoredKey> wanted, CheckTarget copy, Snapshot snapshot) {
        PendingRows pending = new PendingRows(copy, snapshot, wanted);
        Sealing sealing = copy.state().outcome().sealing();
        switch (copy.config().mode()) {
            case CURSOR -> pending.byCursor(copy.config().cursorColumn().orElseThrow(), sealing);
            case XMIN, FULL, LOG -> pending.look(new Scope.Changed(sealing.lookedSince()));
        }
        return pending.found;
    }

    private void byCursor(String cursor, Sealing sealing) {
        Optional<HighWaterMark> seen = copy.state().pulled().cursor();
        if (seen.isPresent() && sealing.isOpen(seen.get())) {
            look(new Scope.Late(cursor, sealing.sealed(), seen.get(), sealing.lookedSince()));
        }
        look(new Scope.After(cursor, seen));
        boolean mayBeNull =
                !copy.table().column(cursor).map(SourceColumn::isNotNull).orElse(false);
        if (mayBeNull) look(new Scope.NullCursor(cursor, sealing.lookedSince()));
    }

    private void look(Scope scope) {
        try (PageByPage pages = new PageByPage(copy.definition().key().size(), PAGE_ROWS, this::keys)) {
            snapshot.pull(copy.pullKeys(scope, PAGE_ROWS).sendingLeaving(), pages);
        }
    }

    private void keys(Batch page) {
        int[] columns = new int[page.columns()];
        for (int i = 0; i < columns.length; i++) columns[i] = i;
        for (int row = 0; row < page.rowCount(); row++) {
            StoredKey key = StoredKey.of(page, row, columns);
            if (wanted.contains(key)) found.add(key);
        }
    }
}
