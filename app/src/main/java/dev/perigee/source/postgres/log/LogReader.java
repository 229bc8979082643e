package dev.perigee.source.postgres.log;

import dev.perigee.source.SourceLog;
import java.util.concurrent.locks.LockSupport;

/// Reads a stream for a sink.
///
/// @param pages of the server's log
record LogReader(LogStream stream, LogPages pages) implements SourceLog.Reader {
    /// How long to wait for a message. The driver can only be asked whether one is there.
    private static final long PAUSE_NANOS = 500_000;

    @Override
    public boolean readPending() {
        if (stream.readPending()) return true;
        LockSupport.parkNanos(PAUSE_NANOS);
        return false;
    }

    @Override
    public long received() {
        return stream.received();
    }

    @Override
    public long reachable(long position) {
        return pages.beforeHeader(position);
    }

    @Override
    public void acknowledge(long position) {
        stream.acknowledge(position);
    }

    @Override
    public void close() {
        stream.close();
    }
}
