package dev.perigee.pages;

import dev.perigee.batch.Batch;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteStatement;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// Fills an empty rowid table of a SQLite database with rows that come in ascending order of their rowids, by building
/// its b-tree from left to right. Each page is written once, and nothing is read back.
///
/// A full leaf is written and its number handed to the level above ([InteriorLevel]), and so on up to the root, which
/// keeps the number that `sqlite_schema` knows. So one leaf, one overflow page and two pages for each level are in
/// memory, and one buffer of [PageFile#BUFFER_BYTES].
///
/// The database must have been made by SQLite, without rows, and no connection may have it open meanwhile. Used by one
/// thread at a time.
public final class TableBuilder implements AutoCloseable {
    /// The largest record that SQLite takes with its default limits.
    private static final long MAX_RECORD_BYTES = 1_000_000_000L;

    private static final byte LEAF_TABLE = 0x0d;

    private final PageFile file;
    private final long root;
    private final int rowidColumn;
    private final Arena arena = Arena.ofShared();
    private final TreePage leaf;
    private final InteriorLevel above;
    private final RowRecord record;
    private final Payload payload;
    private boolean isBeyondLeaf; // whether a leaf was handed up
    private long rowid;
    private long rows;

    /// @param root the page number of the table's root, as `sqlite_schema` has it
    /// @throws PerigeeException [dev.perigee.fault.Fault#DISK_FAILED] if the file cannot be opened
    public TableBuilder(Path database, TableShape shape, long root) {
        this.file = PageFile.open(database);
        this.root = root;
        this.rowidColumn = shape.rowidColumn();
        this.leaf = new TreePage(file.pageBytes(), LEAF_TABLE, arena);
        this.above = new InteriorLevel(file, arena);
        this.record = new RowRecord(shape, arena);
        this.payload = new Payload(file, arena);
    }

    /// Whether [#add] would take all rows of the batch, one after the other.
    public boolean fits(Batch batch) {
        long last = rowid;
        boolean isFirst = rows == 0;
        for (int row = 0; row < batch.rowCount(); row++) {
            if (rowidColumn >= 0) {
                if (batch.type(row, rowidColumn) != SqliteStatement.Type.INTEGER) return false;
                long number = batch.intAt(row, rowidColumn);
                if (!isFirst && number <= last) return false;
                last = number;
                isFirst = false;
            }
            if (!record.read(batch, row) || record.bytes() > MAX_RECORD_BYTES) return false;
        }
        return true;
    }

    /// Adds a row of a batch that has the table's columns.
    ///
    /// @return false if the row cannot be built here, and nothing was added: its rowid is not above that of the row
    ///     before, or SQLite would refuse or convert one of its values
    /// @throws PerigeeException [dev.perigee.fault.Fault#DISK_FULL], [dev.perigee.fault.Fault#DISK_FAILED]
    public boolean add(Batch batch, int row) {
        if (rowidColumn >= 0 && batch.type(row, rowidColumn) != SqliteStatement.Type.INTEGER) return false;
        long number = rowidColumn < 0 ? rows + 1 : batch.intAt(row, rowidColumn);
        if (rows > 0 && number <= rowid) return false;
        if (!record.read(batch, row) || record.bytes() > MAX_RECORD_BYTES) return false;
        long bytes = record.bytes();
        long local = Payload.local(bytes, file.pageBytes());
        int cell = (int) (Varint.size(bytes) + Varint.size(number) + Payload.cellBytes(bytes, local));
        long at = leaf.cell(cell);
        if (at < 0) {
            endLeaf();
            at = leaf.cell(cell);
        }
        MemorySegment page = leaf.bytes();
        at = Varint.put(page, at, bytes);
        at = Varint.put(page, at, number);
        payload.begin(page, at, bytes, local);
        record.writeTo(payload, batch, row);
        rowid = number;
        rows++;
        return true;
    }

    /// As [PageFile#skipTo], before the first row.
    void skipTo(long page) {
        file.skipTo(page);
    }

    /// Number of rows added.
    public long rows() {
        return rows;
    }

    /// Ends the table: writes what is in memory, and returns when the disk has everything. The file is a valid database
    /// afterwards; without this call it has no rows.
    ///
    /// @throws PerigeeException [dev.perigee.fault.Fault#DISK_FULL], [dev.perigee.fault.Fault#DISK_FAILED]
    public void finish() {
        if (isBeyondLeaf) {
            endLeaf();
            above.finish(root);
        } else {
            payload.cellsOn(root);
            file.write(root, leaf.bytes());
        }
        file.finish();
    }

    /// Releases the memory and closes the file.
    @Override
    public void close() {
        if (arena.scope().isAlive()) arena.close();
        file.close();
    }

    private void endLeaf() {
        isBeyondLeaf = true;
        long number = file.take();
        payload.cellsOn(number);
        file.write(number, leaf.bytes());
        above.add(number, rowid);
        leaf.clear();
    }
}
