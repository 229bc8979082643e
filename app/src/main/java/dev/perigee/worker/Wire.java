package dev.perigee.worker;

import dev.perigee.sqlite.Utf8;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;

/// Sends and receives numbers, texts and bytes over a Unix-domain socket, buffered in both directions. Numbers are
/// big-endian. Texts and bytes follow their length in bytes (int). Not thread-safe.
///
/// Call [#flush()] before waiting for an answer. Sending and receiving throw [WireException] once the other side is
/// gone.
public final class Wire implements AutoCloseable {
    private static final int BUFFER_BYTES = 64 << 10;

    private final ByteChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES).flip();
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);

    Wire(ByteChannel channel) {
        this.channel = channel;
    }

    /// A wire whose other side accepts everything and sends nothing.
    public static Wire toNowhere() {
        return new Wire(new ByteChannel() {
            @Override
            public int read(ByteBuffer into) {
                return -1;
            }

            @Override
            public int write(ByteBuffer from) {
                int count = from.remaining();
                from.position(from.limit());
                return count;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        });
    }

    public Wire putByte(int value) {
        room(Byte.BYTES).put((byte) value);
        return this;
    }

    public Wire putBoolean(boolean value) {
        return putByte(value ? 1 : 0);
    }

    public Wire putInt(int value) {
        room(Integer.BYTES).putInt(value);
        return this;
    }

    public Wire putLong(long value) {
        room(Long.BYTES).putLong(value);
        return this;
    }

    public Wire putDouble(double value) {
        room(Double.BYTES).putDouble(value);
        return this;
    }

    /// Sends any string. A string with an unpaired surrogate has no UTF-8 form, so its `char`s are sent instead,
    /// preceded by their number as a negative length.
    public Wire putText(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        if (!Utf8.hasHalfPair(value, bytes)) return putBytes(bytes, bytes.length);
        putInt(-value.length());
        for (int i = 0; i < value.length(); i++) room(Character.BYTES).putChar(value.charAt(i));
        return this;
    }

    /// Sends the first `length` bytes of `bytes`.
    public Wire putBytes(byte[] bytes, int length) {
        putInt(length);
        int sent = 0;
        while (sent < length) {
            if (!out.hasRemaining()) flush();
            int part = Math.min(out.remaining(), length - sent);
            out.put(bytes, sent, part);
            sent += part;
        }
        return this;
    }

    /// Sends what is buffered.
    ///
    /// @throws WireException if the other side is gone
    public void flush() {
        out.flip();
        try {
            while (out.hasRemaining()) {
                if (channel.write(out) < 0) throw new WireException("the connection is closed");
            }
        } catch (IOException e) {
            throw new WireException(e);
        } finally {
            out.clear();
        }
    }

    public int getByte() {
        return need(Byte.BYTES).get();
    }

    public boolean getBoolean() {
        return getByte() != 0;
    }

    public int getInt() {
        return need(Integer.BYTES).getInt();
    }

    public long getLong() {
        return need(Long.BYTES).getLong();
    }

    public double getDouble() {
        return need(Double.BYTES).getDouble();
    }

    public String getText() {
        return getText(getInt());
    }

    /// The text whose length was read by [#getInt()]; a negative length means `char`s, see [#putText].
    public String getText(int length) {
        if (length >= 0) return new String(getBytes(length), StandardCharsets.UTF_8);
        char[] chars = new char[-length];
        for (int i = 0; i < chars.length; i++) chars[i] = need(Character.BYTES).getChar();
        return new String(chars);
    }

    /// The next `length` bytes, whose length was read by [#getInt()].
    public byte[] getBytes(int length) {
        byte[] bytes = new byte[length];
        int got = 0;
        while (got < length) {
            if (!in.hasRemaining()) fill();
            int part = Math.min(in.remaining(), length - got);
            in.get(bytes, got, part);
            got += part;
        }
        return bytes;
    }

    /// Skips the next `length` bytes.
    public void skip(int length) {
        int left = length;
        while (left > 0) {
            if (!in.hasRemaining()) fill();
            int part = Math.min(in.remaining(), left);
            in.position(in.position() + part);
            left -= part;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // Both sides see the connection's end either way.
        }
    }

    private ByteBuffer room(int bytes) {
        if (out.remaining() < bytes) flush();
        return out;
    }

    private ByteBuffer need(int bytes) {
        while (in.remaining() < bytes) fill();
        return in;
    }

    private void fill() {
        in.compact();
        try {
            if (channel.read(in) < 0) throw new WireException("the other process closed the connection");
        } catch (IOException e) {
            throw new WireException(e);
        } finally {
            in.flip();
        }
    }
}
