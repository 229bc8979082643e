package dev.perigee.pages;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// A SQLite database file to which pages are added behind those that it has. No SQLite connection may have it open
/// meanwhile. Used by one thread.
///
/// Until [#finish], the header still says that the file ends before the first page added, so that SQLite ignores the
/// pages behind it.
///
/// @see <a href="https://www.sqlite.org/fileformat2.html#the_database_header">SQLite: Database File Format, section
///     1.3</a>
final class PageFile implements AutoCloseable {
    /// Pages that follow one another are written together, up to so many bytes.
    static final int BUFFER_BYTES = 1 << 20;

    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /// SQLite locks bytes from here on, so the page with this offset is never used.
    private static final long LOCK_BYTE = 1L << 30;

    /// The greatest page number that SQLite allows.
    private static final long MAX_PAGE = 0xfffffffeL;

    private static final int HEADER_BYTES = 100;
    private static final int PAGE_SIZE_AT = 16;
    private static final int RESERVED_AT = 20;
    private static final int CHANGES_AT = 24;
    private static final int PAGES_AT = 28;
    private static final int AUTO_VACUUM_AT = 52;
    private static final int VALID_FOR_AT = 92;
    private static final int LARGEST_PAGE = 65536;

    private final Path path;
    private final FileChannel channel;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(BUFFER_BYTES);
    private final int pageBytes;
    private final long lockPage;
    private final @Nullable PointerMap map;
    private long taken;
    private long bufferedFrom; // the number of the first page in the buffer
    private int buffered; // pages in the buffer

    /// Opens a database that SQLite has made, with tables and no rows.
    ///
    /// @throws PerigeeException [Fault#DISK_FAILED] if it cannot be read or written
    static PageFile open(Path path) {
        try {
            return new PageFile(path, FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private PageFile(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        try {
            ByteBuffer header = header();
            int size = header.getShort(PAGE_SIZE_AT) & 0xffff;
            this.pageBytes = size == 1 ? LARGEST_PAGE : size;
            this.taken = channel.size() / pageBytes;
            if (header.get(RESERVED_AT) != 0 || header.getInt(PAGES_AT) != taken) {
                throw new IllegalStateException("%s has pages with reserved bytes, or a wrong size".formatted(path));
            }
            this.lockPage = LOCK_BYTE / pageBytes + 1;
            boolean isMapped = header.getInt(AUTO_VACUUM_AT) != 0;
            this.map = isMapped ? new PointerMap(pageBytes, lockPage, taken, arena, this::read) : null;
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    int pageBytes() {
        return pageBytes;
    }

    /// Leaves out pages, so that `number` is the next one taken. For tests of large files: the pages between belong to
    /// nobody, and SQLite's integrity check says so.
    void skipTo(long number) {
        taken = number - 1;
    }

    /// Returns the number of a page that is now the caller's to [#write]. Numbers ascend.
    long take() {
        taken++;
        while (taken == lockPage || (map != null && map.isMap(taken))) taken++;
        if (taken > MAX_PAGE) {
            throw Fault.TOO_LARGE.in(
                    "file " + path, "it would have more than %,d pages".formatted(MAX_PAGE), "Nothing was replaced");
        }
        return taken;
    }

    /// Says which page points to `page`. To be called once for each page taken.
    void parent(long page, PointerMap.Kind kind, long parent) {
        if (map != null) map.put(page, kind, parent);
    }

    /// Writes a page. Each page taken must be written once.
    ///
    /// @throws PerigeeException [Fault#DISK_FULL], [Fault#DISK_FAILED]
    void write(long number, MemorySegment page) {
        boolean follows = number == bufferedFrom + buffered && (long) (buffered + 1) * pageBytes <= BUFFER_BYTES;
        if (!follows) {
            flush();
            bufferedFrom = number;
        }
        MemorySegment.copy(page, 0, buffer, (long) buffered * pageBytes, pageBytes);
        buffered++;
    }

    /// Writes what is left, makes the pages part of the database, and has the disk keep all of it.
    ///
    /// @throws PerigeeException [Fault#DISK_FULL], [Fault#DISK_FAILED]
    void finish() {
        if (map != null) map.pages().forEach(this::write);
        flush();
        try {
            ByteBuffer header = header();
            int changes = header.getInt(CHANGES_AT) + 1;
            header.putInt(CHANGES_AT, changes).putInt(PAGES_AT, (int) taken).putInt(VALID_FOR_AT, changes);
            channel.force(false);
            writeAll(header, 0);
            channel.force(false);
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) arena.close();
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private void flush() {
        if (buffered == 0) return;
        try {
            long bytes = (long) buffered * pageBytes;
            writeAll(buffer.asSlice(0, bytes).asByteBuffer(), (bufferedFrom - 1) * pageBytes);
            buffered = 0;
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private void writeAll(ByteBuffer bytes, long at) throws IOException {
        long position = at;
        while (bytes.hasRemaining()) position += channel.write(bytes, position);
    }

    private void read(long number, MemorySegment target) throws IOException {
        ByteBuffer bytes = target.asByteBuffer();
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, (number - 1) * pageBytes + bytes.position()) < 0) {
                throw new IOException("the file has no page %d".formatted(number));
            }
        }
    }

    private ByteBuffer header() throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        while (header.hasRemaining()) {
            if (channel.read(header, header.position()) < 0) throw new IOException("the file has no header");
        }
        return header.flip();
    }

    private static PerigeeException failed(Path path, IOException e) {
        if (e instanceof ClosedByInterruptException) {
            return Fault.CLOSED.in("file " + path, "the thread was interrupted", "The replica is as it was before", e);
        }
        boolean isFull;
        try {
            isFull = Files.getFileStore(path).getUsableSpace() < BUFFER_BYTES;
        } catch (IOException _) {
            isFull = false;
        }
        Fault fault = isFull ? Fault.DISK_FULL : Fault.DISK_FAILED;
        return fault.in("file " + path, "it could not be written: " + e, "The replica is as it was before", e);
    }
}
