package dev.perigee.replication.sync;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Counts what a resync changed, in one pass over the old copy and the shadow. It runs on a reader, so that no write
/// waits for it.
final class ResyncCounts {
    /// Time limit of the count, which is not worth more.
    static final Duration LIMIT = Duration.ofMinutes(2);

    private static final Logger LOG = LoggerFactory.getLogger(ResyncCounts.class);

    private ResyncCounts() {}

    /// Compares the copy of the table `name` with the shadow of `plan` that is about to replace it. Rows are matched by
    /// key and compared in the columns that both have.
    ///
    /// @return empty where there is no shadow, where the two cannot be matched by the same key, or where the count
    ///     failed, for example at its time limit
    static Optional<RowCounts> compare(Store store, String name, SyncPlan plan) {
        if (plan.shadow().isEmpty() || plan.definition().key().isEmpty()) return Optional.empty();
        try {
            return store.read(LIMIT, tx -> compare(tx, name, plan));
        } catch (PerigeeException e) {
            LOG.info("table {}: the changes made by the resync were not counted: {}", name, e.getMessage());
            return Optional.empty();
        }
    }

    private static Optional<RowCounts> compare(Transaction tx, String name, SyncPlan plan) {
        TableState state = StateRecords.find(tx, name).orElseThrow();
        CopyDefinition before = state.definition().orElse(null);
        if (before == null || !before.key().equals(plan.definition().key())) return Optional.empty();
        String old = quoted(before.target());
        String fresh = quoted(plan.shadow().orElseThrow());
        Set<String> had = new HashSet<>(before.columnNames());
        List<String> both =
                plan.definition().columnNames().stream().filter(had::contains).toList();
        SqliteStatement row = tx.statement("""
                SELECT count(*), coalesce(sum((%s) IS (%s)), 0), (SELECT count(*) FROM %s), (SELECT count(*) FROM %s)
                FROM %s AS s JOIN %s AS o ON %s""".formatted(
                        qualified("s", both),
                        qualified("o", both),
                        fresh,
                        old,
                        fresh,
                        old,
                        before.key().stream()
                                .map(key -> "o.%1$s = s.%1$s".formatted(quoted(key)))
                                .collect(Collectors.joining(" AND "))));
        row.step();
        long matched = row.intAt(0);
        long same = row.intAt(1);
        return Optional.of(new RowCounts(row.intAt(2) - matched, matched - same, row.intAt(3) - matched, same));
    }

    private static String qualified(String alias, List<String> columns) {
        return columns.stream().map(c -> alias + "." + quoted(c)).collect(Collectors.joining(", "));
    }
}
