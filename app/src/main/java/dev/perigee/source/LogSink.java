package dev.perigee.source;

import dev.perigee.batch.Batch;
import java.time.Instant;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Receives the changes of a source's log, on the thread that reads it. Transactions come whole, one after another, in
/// the order in which they committed.
///
/// Positions are places in the log, in bytes.
public interface LogSink {
    /// @param commit where the transaction's commit is in the log
    /// @param committed the time of the commit by the source's clock
    /// @param transaction the lower 32 bits of the transaction's number
    void begin(long commit, Instant committed, int transaction);

    /// The table with this number, where the changes of the transaction under way are wanted for it; else null.
    @Nullable
    Target target(long number);

    /// @param numbers all tables that one statement emptied
    void truncate(List<Long> numbers);

    /// @param end the position after the transaction. A stream that is started there does not repeat it
    void commit(long end);

    /// Takes the changes of one table in one transaction, in their order.
    interface Target {
        /// What is wanted. The same object as long as the copy's definition stays the same.
        LogTable wanted();

        /// The batch for the next row that has all its values. The caller puts the row's cells, one for each wanted
        /// column, and calls [#row] or [#leaving], or abandons the row.
        Batch whole();

        /// The row put last is now at the source.
        void row();

        /// The row put last is gone from the source. Only the cells of its key have values.
        void leaving();

        /// The batch for the next row of which the source tells only some values. Its cells are one for each wanted
        /// column, NULL where nothing is told, and one more for each key column: the row's key before the change. The
        /// caller then calls [#partial], or abandons the row.
        Batch part(Part part);

        /// The row put last has been changed at the source. The values that were not told are as they were.
        void partial(Part part);

        /// A row that is at the source, but cannot be put into a batch.
        void refused(RefusedRow row);

        /// The source's columns, their types or the row's identity are not those that the wanted table was made for.
        /// Told before a change that was written under the other definition; that change is not told. The sink throws,
        /// because nothing after it may be applied until the copy follows the definition.
        ///
        /// @param why for people: what is different
        void redefined(String why);
    }

    /// What is told of a changed row.
    ///
    /// @param told the indexes of the wanted columns whose values are told; the key's are always among them
    /// @param isMoved whether its key may have changed
    /// @param isNew whether the row was inserted, so that values not told are those of columns that are filled later
    record Part(BitSet told, boolean isMoved, boolean isNew) {
        public Part {
            told = (BitSet) told.clone();
        }
    }
}
