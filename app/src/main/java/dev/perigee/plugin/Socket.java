package dev.perigee.plugin;

/// A client's WebSocket, as a plugin has it. Safe for many threads.
public interface Socket {
    /// What a plugin makes of a client's frames.
    interface Listener {
        /// A text frame, in the order in which they came, never two at once. Returns soon: what takes its time runs on
        /// a thread of the plugin's.
        ///
        /// @param done to be run once the frame has been dealt with; until then it counts against the frames that one
        ///     socket may have under way, past which the server reads no more of them
        void frame(String text, Runnable done);

        /// The socket is closed, by whomever. Called once.
        default void closed() {}
    }

    /// Sends a text frame and waits until the connection has taken it. A client that takes nothing for half a minute is
    /// disconnected.
    ///
    /// @return false if the socket is closed
    boolean send(String text);

    /// Closes the socket once what was sent is on its way.
    ///
    /// @param code as RFC 6455 has them, or one of 4000 to 4999
    /// @param reason at most 120 bytes
    void close(int code, String reason);

    boolean isOpen();
}
