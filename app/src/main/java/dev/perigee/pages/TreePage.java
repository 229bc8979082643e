package dev.perigee.pages;

import static dev.perigee.pages.PageFile.INT;
import static dev.perigee.pages.PageFile.SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A page of a b-tree while it is filled. The header and the cells' offsets grow from its beginning, the cells from its
/// end. The cells are put in the order of their keys.
///
/// @see <a href="https://www.sqlite.org/fileformat2.html#b_tree_pages">SQLite: Database File Format, section 1.6</a>
final class TreePage {
    private static final int CELLS_AT = 3;
    private static final int CONTENT_AT = 5;
    private static final int RIGHT_AT = 8;
    private static final int LEAF_HEADER = 8;
    private static final int INTERIOR_HEADER = 12;
    private static final int LEAF = 0x08;
    private static final int OFFSET_BYTES = 2;

    private final MemorySegment bytes;
    private final int headerBytes;
    private final byte kind;
    private int cells;
    private int content; // where the cells begin

    /// @param kind the first byte of the page
    TreePage(int pageBytes, byte kind, Arena arena) {
        this.bytes = arena.allocate(pageBytes);
        this.kind = kind;
        this.headerBytes = (kind & LEAF) != 0 ? LEAF_HEADER : INTERIOR_HEADER;
        clear();
    }

    void clear() {
        bytes.fill((byte) 0);
        bytes.set(ValueLayout.JAVA_BYTE, 0, kind);
        cells = 0;
        content = (int) bytes.byteSize();
        header();
    }

    MemorySegment bytes() {
        return bytes;
    }

    int cells() {
        return cells;
    }

    /// Makes room for one more cell.
    ///
    /// @return its offset; -1 if it does not fit, and nothing was changed
    long cell(int size) {
        if (content - size < headerBytes + (cells + 1) * OFFSET_BYTES) return -1;
        content -= size;
        bytes.set(SHORT, headerBytes + (long) cells * OFFSET_BYTES, (short) content);
        cells++;
        header();
        return content;
    }

    /// The offset of a cell, counted from 0 in the order they were put.
    long cellAt(int cell) {
        return bytes.get(SHORT, headerBytes + (long) cell * OFFSET_BYTES) & 0xffffL;
    }

    /// Takes back the cell put last.
    void dropLastCell() {
        cells--;
        bytes.set(SHORT, headerBytes + (long) cells * OFFSET_BYTES, (short) 0);
        long next = cells == 0 ? bytes.byteSize() : cellAt(cells - 1);
        bytes.asSlice(content, next - content).fill((byte) 0);
        content = (int) next;
        header();
    }

    /// The last child of an interior page.
    long right() {
        return Integer.toUnsignedLong(bytes.get(INT, RIGHT_AT));
    }

    void right(long page) {
        bytes.set(INT, RIGHT_AT, (int) page);
    }

    /// An offset of 65536 is written as 0, as the format wants it.
    private void header() {
        bytes.set(SHORT, CELLS_AT, (short) cells);
        bytes.set(SHORT, CONTENT_AT, (short) content);
    }
}
