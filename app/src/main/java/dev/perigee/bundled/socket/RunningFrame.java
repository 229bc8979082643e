package dev.perigee.bundled.socket;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Socket;
import dev.perigee.statement.Cancellation;
import java.time.Duration;

/// A frame whose statements are running. They are cancelled once the client has disconnected or their time is over.
record RunningFrame(Socket socket, Cancellation cancellation, long beginNanos) {
    static RunningFrame of(Socket socket) {
        return new RunningFrame(socket, new Cancellation(), System.nanoTime());
    }

    void endIfOver(Duration limit) {
        if (!socket.isOpen()) {
            cancellation.cancel(Fault.CLOSED.saying("The client disconnected."));
        } else if (System.nanoTime() - beginNanos > limit.toNanos()) {
            cancellation.cancel(
                    Fault.TIME_LIMIT.saying("The statement took more than %d s.".formatted(limit.toSeconds())));
        }
    }

    // Two frames are never equal, even if all their components are.
    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
