package dev.perigee.pages;

import static dev.perigee.pages.PageFile.INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;

/// The pointer map of a database with auto-vacuum: for each page the page that points to it. Its own pages lie at fixed
/// numbers. They are kept in memory until the end, because a page's parent gets its number later: five bytes for each
/// page of the file, 5 MiB for 16 GiB with pages of 16 KiB.
///
/// @see <a href="https://www.sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages">SQLite: Database File Format,
///     section 1.8</a>
final class PointerMap {
    /// What a page is.
    enum Kind {
        /// The first page of an overflow chain, below the b-tree page with its cell.
        OVERFLOW(3),
        /// A later page of an overflow chain, below the one before it.
        OVERFLOW_REST(4),
        /// A b-tree page that is no root, below its parent.
        TREE(5);

        private final byte code;

        Kind(int code) {
            this.code = (byte) code;
        }
    }

    /// Reads a page of the map that the database has already.
    @FunctionalInterface
    interface Reading {
        void read(long page, MemorySegment target) throws IOException;
    }

    private static final int ENTRY_BYTES = 5;
    private static final int FIRST_PAGE = 2;

    private final int pageBytes;
    private final long lockPage;
    private final Arena arena;
    private final Map<Long, MemorySegment> pages = new TreeMap<>();

    /// @param lastPage the last page that the database has
    PointerMap(int pageBytes, long lockPage, long lastPage, Arena arena, Reading reading) throws IOException {
        this.pageBytes = pageBytes;
        this.lockPage = lockPage;
        this.arena = arena;
        for (long page = FIRST_PAGE; page <= lastPage; page++) {
            if (isMap(page)) reading.read(page, page(page));
        }
    }

    /// Whether the page with this number is one of the map.
    boolean isMap(long page) {
        return page >= FIRST_PAGE && mapOf(page) == page;
    }

    void put(long page, Kind kind, long parent) {
        long map = mapOf(page);
        MemorySegment entries = page(map);
        long at = (page - map - 1) * ENTRY_BYTES;
        entries.set(ValueLayout.JAVA_BYTE, at, kind.code);
        entries.set(INT, at + 1, (int) parent);
    }

    /// The pages of the map by their numbers, which ascend.
    Map<Long, MemorySegment> pages() {
        return pages;
    }

    /// The number of the page that has the entry of `page`.
    private long mapOf(long page) {
        long stride = pageBytes / ENTRY_BYTES + 1L;
        long map = (page - FIRST_PAGE) / stride * stride + FIRST_PAGE;
        return map == lockPage ? map + 1 : map;
    }

    private MemorySegment page(long map) {
        return pages.computeIfAbsent(map, _ -> arena.allocate(pageBytes));
    }
}
