package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.perigee.fault.Fault;
import java.lang.foreign.MemorySegment;

/// SQLite's functions whose work grows with the product of their arguments' lengths, with the same results
/// and a bound:
/// `instr`, `replace`, and `trim`, `ltrim`, `rtrim` and `unhex` of two arguments. A call that would need
/// much more work
/// than its arguments are long fails and says so.
///
/// SQLite looks for an interrupt between instructions only, never inside of a function: `instr` of two
/// texts of some
/// megabytes kept a thread for hours that nothing could end. They read SQLite's memory where it is,
/// without copies.
final class LinearFunctions {
    /// Comparisons of bytes per byte of the arguments, many at a time, that no search of ordinary text
    /// comes near.
    private static final long SEARCH_WORK = 256;

    /// The same for characters that are compared one by one.
    private static final long SET_WORK = 16;

    /// Short arguments may take this much whatever they are.
    private static final long FREE_WORK = 1 << 20;

    /// What looking at one place costs beside the bytes that are compared there.
    private static final int PLACE_WORK = 8;

    private static final long TRANSIENT = -1;
    private static final int BLOB = 4;
    private static final int NULL = 5;

    private final long connection;

    LinearFunctions(long connection) {
        this.connection = connection;
    }

    /// Bytes in SQLite's memory.
    private record Bytes(long address, int count) {
        /// As text; none for NULL.
        static Bytes text(long value) {
            long address = NativeFunction.valueText(value);
            return new Bytes(address, address == 0 ? 0 : NativeFunction.valueBytes(value));
        }

        /// What is there, numbers as text.
        static Bytes raw(long value) {
            if (NativeFunction.valueType(value) != BLOB) return text(value);
            long address = NativeFunction.valueBlob(value);
            return new Bytes(address, NativeFunction.valueBytes(value));
        }

        boolean isNull() {
            return address == 0;
        }

        byte at(int index) {
            return MEMORY.get(JAVA_BYTE, address + index);
        }
    }

    /// How much a call may still do.
    private static final class Work {
        private final String function;
        private long left;

        Work(String function, long left) {
            this.function = function;
            this.left = left + FREE_WORK;
        }

        void take(long amount) {
            left -= amount;
            if (left < 0) {
                throw Fault.TOO_LARGE.saying(
                        "%s of these arguments needs more comparisons than a statement may make: look for shorter texts."
                                .formatted(function));
            }
        }
    }

    void instr(long context, long arguments) {
        long first = argument(arguments, 0);
        long second = argument(arguments, 1);
        int type = NativeFunction.valueType(first);
        int neededType = NativeFunction.valueType(second);
        if (type == NULL || neededType == NULL) {
            NativeFunction.resultNull(context);
            return;
        }
        Bytes in = Bytes.raw(first);
        Bytes needle = Bytes.raw(second);
        boolean isText = type != BLOB || neededType != BLOB;
        NativeFunction.resultInt(context, place(in, needle, isText));
    }

    /// The first place, from 1, in characters for text; 0 where there is none.
    private static long place(Bytes in, Bytes needle, boolean isText) {
        if (needle.count() == 0) return 1;
        Work work = new Work("instr", SEARCH_WORK * in.count());
        byte firstByte = needle.at(0);
        long place = 0;
        int last = in.count() - needle.count();
        for (int i = 0; i <= last; i++) {
            byte at = in.at(i);
            if (isText && i > 0 && (at & 0xc0) == 0x80) continue;
            place++;
            if (at == firstByte && matches(in, i, needle, work)) return place;
        }
        return 0;
    }

    void replace(long context, long arguments) {
        Bytes in = Bytes.text(argument(arguments, 0));
        Bytes pattern = Bytes.text(argument(arguments, 1));
        if (in.isNull() || pattern.isNull()) {
            NativeFunction.resultNull(context);
            return;
        }
        if (pattern.at(0) == 0) {
            NativeFunction.resultText(context, in.address(), in.count(), TRANSIENT);
            return;
        }
        Bytes with = Bytes.text(argument(arguments, 2));
        if (with.isNull()) {
            NativeFunction.resultNull(context);
            return;
        }
        replace(context, in, pattern, with);
    }

    private void replace(long context, Bytes in, Bytes pattern, Bytes with) {
        Work work = new Work("replace", SEARCH_WORK * in.count());
        long bytes = in.count();
        int last = in.count() - pattern.count();
        for (int i = next(in, 0, last, pattern, work);
                i <= last;
                i = next(in, i + pattern.count(), last, pattern, work)) bytes += with.count() - pattern.count();
        if (bytes > NativeConnection.limit(connection, SqliteLimit.LENGTH.ordinal(), -1)) {
            NativeFunction.resultTooBig(context);
            return;
        }
        long out = NativeFunction.allocate(bytes + 1);
        if (out == 0) {
            NativeFunction.resultNoMemory(context);
            return;
        }
        // The same places are found again: that is cheaper than keeping them.
        Work again = new Work("replace", SEARCH_WORK * in.count());
        long to = out;
        int from = 0;
        for (int i = next(in, 0, last, pattern, again); i <= last; i = next(in, from, last, pattern, again)) {
            to = copy(in.address() + from, to, i - from);
            to = copy(with.address(), to, with.count());
            from = i + pattern.count();
        }
        to = copy(in.address() + from, to, in.count() - from);
        MEMORY.set(JAVA_BYTE, to, (byte) 0);
        NativeFunction.resultText(context, out, (int) bytes, NativeFunction.FREE);
    }

    /// The next place of `pattern` from `from` on; past `last` where there is none.
    private static int next(Bytes in, int from, int last, Bytes pattern, Work work) {
        byte firstByte = pattern.at(0);
        for (int i = from; i <= last; i++) {
            if (in.at(i) == firstByte && matches(in, i, pattern, work)) return i;
        }
        return Math.max(from, last + 1);
    }

    private static boolean matches(Bytes in, int from, Bytes needle, Work work) {
        long start = in.address() + from;
        long differs = MemorySegment.mismatch(
                MEMORY, start, start + needle.count(), MEMORY, needle.address(), needle.address() + needle.count());
        work.take(PLACE_WORK + (differs < 0 ? needle.count() : differs));
        return differs < 0;
    }

    void trim(String name, boolean left, boolean right, long context, long arguments) {
        Bytes in = Bytes.text(argument(arguments, 0));
        Bytes set = Bytes.text(argument(arguments, 1));
        if (in.isNull() || set.isNull()) {
            NativeFunction.resultNull(context);
            return;
        }
        Work work = new Work(name, SET_WORK * in.count());
        int from = 0;
        int to = in.count();
        if (left) {
            int length;
            while ((length = first(in, from, to, true, set, work)) > 0) from += length;
        }
        if (right) {
            int length;
            while ((length = first(in, from, to, false, set, work)) > 0) to -= length;
        }
        NativeFunction.resultText(context, in.address() + from, to - from, TRANSIENT);
    }

    /// How long the first character of `set` is that what is between `from` and `to` begins or ends with;
    /// 0 if none.
    private static int first(Bytes in, int from, int to, boolean isBegin, Bytes set, Work work) {
        int i = 0;
        while (i < set.count() && set.at(i) != 0 && to > from) {
            int end = characterEnd(set, i);
            int length = end - i;
            int at = isBegin ? from : to - length;
            work.take(1);
            if (length <= to - from && isSame(in, at, set, i, length, work)) return length;
            i = end;
        }
        return 0;
    }

    private static boolean isSame(Bytes in, int at, Bytes set, int from, int length, Work work) {
        for (int i = 0; i < length; i++) {
            if (in.at(at + i) != set.at(from + i)) {
                work.take(i);
                return false;
            }
        }
        return true;
    }

    /// As SQLite finds it, in text that is not UTF-8 too.
    private static int characterEnd(Bytes text, int start) {
        int end = start + 1;
        if ((text.at(start) & 0xff) < 0xc0) return end;
        while (end < text.count() && (text.at(end) & 0xc0) == 0x80) end++;
        return end;
    }

    void unhex(long context, long arguments) {
        Bytes hex = Bytes.text(argument(arguments, 0));
        Bytes set = Bytes.text(argument(arguments, 1));
        long out = hex.isNull() || set.isNull() ? 0 : NativeFunction.allocate(hex.count() / 2 + 1);
        if (out == 0) {
            NativeFunction.resultNull(context);
            return;
        }
        int bytes;
        try {
            bytes = unhex(hex, set, out, new Work("unhex", SET_WORK * hex.count()));
        } catch (Throwable e) {
            NativeFunction.free(out);
            throw e;
        }
        if (bytes < 0) {
            NativeFunction.free(out);
            NativeFunction.resultNull(context);
        } else {
            NativeFunction.resultBlob(context, out, bytes, NativeFunction.FREE);
        }
    }

    /// How many bytes it wrote; -1 where it is no such text.
    private static int unhex(Bytes hex, Bytes set, long out, Work work) {
        int count = 0;
        int i = 0;
        while (i < hex.count() && hex.at(i) != 0) {
            int high = Character.digit(hex.at(i), 16);
            if (high < 0) {
                if (!contains(set, hex, i, work)) return -1;
                i = characterEnd(hex, i);
                continue;
            }
            int low = i + 1 < hex.count() ? Character.digit(hex.at(i + 1), 16) : -1;
            if (low < 0) return -1;
            MEMORY.set(JAVA_BYTE, out + count, (byte) (high << 4 | low));
            count++;
            i += 2;
        }
        return count;
    }

    private static boolean contains(Bytes set, Bytes text, int start, Work work) {
        int wanted = codePoint(text, start);
        for (int i = 0; i < set.count(); i = characterEnd(set, i)) {
            work.take(characterEnd(set, i) - i);
            if (codePoint(set, i) == wanted) return true;
        }
        return false;
    }

    /// As SQLite reads it: what is not UTF-8 is some number too, often U+FFFD.
    private static int codePoint(Bytes text, int start) {
        int first = text.at(start) & 0xff;
        if (first < 0xc0) return first;
        int code = first < 0xe0 ? first & 0x1f : first < 0xf0 ? first & 0x0f : first < 0xf8 ? first & 7 : first & 3;
        if (first >= 0xfc) code = first == 0xfd ? 1 : 0;
        int end = characterEnd(text, start);
        for (int i = start + 1; i < end; i++) code = (code << 6) + (text.at(i) & 0x3f);
        boolean isNone = code >= 0 && code < 0x80 || (code & 0xfffff800) == 0xd800 || (code & 0xfffffffe) == 0xfffe;
        return isNone ? 0xfffd : code;
    }

    private static long copy(long from, long to, int count) {
        MemorySegment.copy(MEMORY, from, MEMORY, to, count);
        return to + count;
    }

    private static long argument(long arguments, int index) {
        return MEMORY.get(JAVA_LONG, arguments + 8L * index);
    }
}
