package dev.perigee.plugin;

/// A client's WebSocket, as a plugin sees it. Safe for many threads.
public interface Socket {
    /// Receives a client's frames; implemented by the plugin.
    interface Listener {
        /// Called for each text frame, in order of arrival and never twice at the same time. It must return quickly;
        /// longer work belongs on a thread of the plugin.
        ///
        /// @param done must be run once the frame has been handled. Until then the frame counts as pending, and the
        ///     server stops reading a socket that has too many pending frames
        void frame(String text, Runnable done);

        /// Called once, when the socket has been closed, for whatever reason.
        default void closed() {}
    }

    /// Sends a text frame and waits until the connection has accepted it. A client that accepts nothing for 30 seconds
    /// is disconnected.
    ///
    /// @return false if the socket is closed
    boolean send(String text);

    /// Closes the socket after the frames already sent.
    ///
    /// @param code a code from RFC 6455, or one from 4000 to 4999
    /// @param reason at most 120 bytes in UTF-8
    void close(int code, String reason);

    boolean isOpen();
}
