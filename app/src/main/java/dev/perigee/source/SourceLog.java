package dev.perigee.source;

import java.util.List;
import java.util.Optional;

/// The log of a source: all changes of chosen tables in commit order, from a position on. The source keeps its log
/// until it was told that the changes are safe here. Safe for many threads.
///
/// The source knows a follower by a name. What a name stands for (PostgreSQL: a replication slot and a publication) is
/// created by [#create] and removed by [#drop]. Nothing under other names is ever touched.
///
/// All methods throw [dev.perigee.fault.PerigeeException] with a `SOURCE_*` fault when the source fails.
public interface SourceLog {
    /// Where a follower's log stands at the source.
    ///
    /// @param confirmed what is before this position is not sent any more
    /// @param retained bytes of the log that the source keeps for it
    /// @param broken for people: why the log cannot be read any more; empty where it can
    record Standing(long confirmed, long retained, Optional<String> broken) {}

    /// Which server's log it is.
    ///
    /// @param system the server's system identifier
    /// @param timeline which of its histories the server follows
    record History(String system, long timeline) {}

    /// Checks that a table can be followed: what the server is and how it is set up, the rights of our user, and the
    /// table itself. Changes nothing. After a change at the source the answer may be another one.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST],
    ///     [dev.perigee.fault.Fault#SOURCE_PERMISSION], with the statement or the setting that helps
    void require(LogTable wanted);

    /// Which server answers now.
    History history();

    /// @return empty if the source has nothing under this name
    Optional<Standing> standing(String name);

    /// The names that begin with `prefix` and stand for something at the source, sorted. So a follower finds what an
    /// earlier one has left behind, for which the source may still be keeping its log.
    List<String> names(String prefix);

    /// Begins to keep the log, without any table. Does nothing for what exists already. Waits until the transactions
    /// have ended that are open at the source.
    void create(String name);

    /// Stops keeping the log.
    void drop(String name);

    /// Adds a table to those whose changes are sent. Does nothing if it is among them. Changes of transactions that are
    /// open meanwhile may be missing.
    void add(String name, TableId table);

    /// Removes a table from those whose changes are sent. Does nothing if it is not among them, or does not exist.
    void remove(String name, TableId table);

    /// Has the source write and flush a little, so that everything before becomes readable. Without this, what an open
    /// transaction has written last may stay in the server's memory for seconds.
    ///
    /// @return a position that every transaction committed before this call is in front of
    long flush();

    /// Starts reading. Only one reader may be open under a name.
    ///
    /// @param sink is told what [Reader#readPending] reads
    Reader open(String name, LogSink sink);

    /// A connection that reads the log. Not safe for many threads.
    interface Reader extends AutoCloseable {
        /// Reads one message, if one has come. Waits for at most about a millisecond. What the sink throws reaches the
        /// caller unchanged; the reader can then only be closed.
        ///
        /// @return whether a message was read
        boolean readPending();

        /// The position up to which everything was sent. Only between two transactions does it say that all changes
        /// before it have been told.
        long received();

        /// The least that [#received] reaches when everything before `position` was sent. A position that the server
        /// tells may lie behind a page's header, where no record is yet.
        long reachable(long position);

        /// Tells the source that everything before `position` is safe here.
        void acknowledge(long position);

        @Override
        void close();
    }
}
