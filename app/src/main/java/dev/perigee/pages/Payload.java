package dev.perigee.pages;

import static dev.perigee.pages.PageFile.INT;

import dev.perigee.batch.Batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Writes the bytes of one record: what fits into its cell goes there, and the rest into a chain of overflow pages. One
/// overflow page is in memory.
///
/// @see <a href="https://www.sqlite.org/fileformat2.html#cell_payload_overflow_pages">SQLite: Database File Format,
///     section 1.7</a>
final class Payload {
    private static final int LINK_BYTES = 4;

    private final PageFile file;
    private final MemorySegment overflow;
    private final int pageBytes;

    private MemorySegment target;
    private long at;
    private long room; // bytes left in `target`
    private long left; // bytes of the record that are not written
    private final List<Long> chains = new ArrayList<>();
    private long page; // the number of the overflow page; 0 while the bytes go into the cell

    Payload(PageFile file, Arena arena) {
        this.file = file;
        this.pageBytes = file.pageBytes();
        this.overflow = arena.allocate(pageBytes);
        this.target = overflow;
    }

    /// How many bytes of a record go into a cell of a table's leaf.
    static long local(long bytes, int pageBytes) {
        long most = pageBytes - 35L;
        if (bytes <= most) return bytes;
        long least = (pageBytes - 12L) * 32 / 255 - 23;
        long fitting = least + (bytes - least) % (pageBytes - LINK_BYTES);
        return fitting <= most ? fitting : least;
    }

    /// How many bytes a cell takes for a record of which `local` bytes are in it.
    static long cellBytes(long bytes, long local) {
        return local == bytes ? local : local + LINK_BYTES;
    }

    /// Begins a record of `bytes` bytes, the first `local` of which go to `cell`, at offset `from`.
    void begin(MemorySegment cell, long from, long bytes, long local) {
        target = cell;
        at = from;
        room = local;
        left = bytes;
        page = 0;
    }

    /// Says on which page the cells written since the last call are.
    void cellsOn(long leaf) {
        for (long first : chains) file.parent(first, PointerMap.Kind.OVERFLOW, leaf);
        chains.clear();
    }

    void put(MemorySegment source, long from, long length) {
        for (long done = 0; done < length; ) {
            long part = part(length - done);
            MemorySegment.copy(source, from + done, target, at, part);
            done += part;
            wrote(part);
        }
    }

    /// Puts the bytes of a text or blob.
    void put(Batch batch, int row, int column, long length) {
        for (long done = 0; done < length; ) {
            long part = part(length - done);
            batch.copyBytes(row, column, done, target, at, part);
            done += part;
            wrote(part);
        }
    }

    /// How much can be written at once. Begins an overflow page where there is no room.
    private long part(long wanted) {
        if (room == 0) {
            long next = file.take();
            if (page == 0) {
                target.set(INT, at, (int) next);
                chains.add(next);
            } else {
                overflow.set(INT, 0, (int) next);
                file.parent(next, PointerMap.Kind.OVERFLOW_REST, page);
                file.write(page, overflow);
            }
            overflow.fill((byte) 0);
            page = next;
            target = overflow;
            at = LINK_BYTES;
            room = pageBytes - LINK_BYTES;
        }
        return Math.min(room, wanted);
    }

    private void wrote(long bytes) {
        at += bytes;
        room -= bytes;
        left -= bytes;
        if (left == 0 && page != 0) file.write(page, overflow);
    }
}
