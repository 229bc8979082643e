package dev.perigee.pages;

import static dev.perigee.pages.PageFile.INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The interior pages of a table's b-tree that are at one height, built from left to right. Two pages are in memory.
///
/// A page points to its children: in cells, each with the greatest rowid below the child, and to the last child by the
/// right pointer. The page before the open one is written late, because it must be able to give away its last child:
/// SQLite has no interior page without a cell.
final class InteriorLevel {
    private static final int CHILD_BYTES = 4;
    private static final byte INTERIOR_TABLE = 0x05;

    private final PageFile file;
    private final Arena arena;
    private TreePage open;
    private TreePage before;
    private boolean hasBefore;
    private long beforeEnd; // the greatest rowid below `before`
    private long child; // the child that came last, which is in no page yet; 0 for none
    private long childEnd;
    private long givenCell; // the last cell put
    private @Nullable InteriorLevel above;

    InteriorLevel(PageFile file, Arena arena) {
        this.file = file;
        this.arena = arena;
        this.open = new TreePage(file.pageBytes(), INTERIOR_TABLE, arena);
        this.before = new TreePage(file.pageBytes(), INTERIOR_TABLE, arena);
    }

    /// Adds a child, right of all others.
    ///
    /// @param end the greatest rowid below it
    void add(long page, long end) {
        if (child != 0 && !put(child, childEnd)) {
            if (hasBefore) handUp(before, beforeEnd);
            TreePage full = open;
            full.right(child);
            beforeEnd = childEnd;
            open = before;
            open.clear();
            before = full;
            hasBefore = true;
        }
        child = page;
        childEnd = end;
    }

    /// Writes the rest of this level and those above it, with the topmost page at `root`.
    void finish(long root) {
        if (!hasBefore) {
            open.right(child);
            write(root, open);
            return;
        }
        if (open.cells() == 0) borrow();
        handUp(before, beforeEnd);
        open.right(child);
        handUp(open, childEnd);
        above().finish(root);
    }

    /// Moves the last child of the page before to the open page, which has none but the one by its right pointer.
    private void borrow() {
        MemorySegment bytes = before.bytes();
        long at = before.cellAt(before.cells() - 1);
        long moved = before.right();
        long movedEnd = beforeEnd;
        before.right(Integer.toUnsignedLong(bytes.get(INT, at)));
        beforeEnd = givenCell;
        before.dropLastCell();
        put(moved, movedEnd);
    }

    private boolean put(long page, long end) {
        long at = open.cell(CHILD_BYTES + Varint.size(end));
        if (at < 0) return false;
        open.bytes().set(INT, at, (int) page);
        Varint.put(open.bytes(), at + CHILD_BYTES, end);
        givenCell = end;
        return true;
    }

    private void handUp(TreePage page, long end) {
        long number = file.take();
        write(number, page);
        above().add(number, end);
    }

    private void write(long number, TreePage page) {
        MemorySegment bytes = page.bytes();
        for (int cell = 0; cell < page.cells(); cell++) {
            long below = Integer.toUnsignedLong(bytes.get(INT, page.cellAt(cell)));
            file.parent(below, PointerMap.Kind.TREE, number);
        }
        file.parent(page.right(), PointerMap.Kind.TREE, number);
        file.write(number, bytes);
    }

    private InteriorLevel above() {
        InteriorLevel level = above;
        if (level == null) {
            level = new InteriorLevel(file, arena);
            above = level;
        }
        return level;
    }
}
