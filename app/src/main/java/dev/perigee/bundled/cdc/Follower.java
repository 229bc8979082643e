package dev.perigee.bundled.cdc;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.Socket;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends one client the changes it wants, in order, as fast as it accepts them.
///
/// A client so slow that its next change is no longer kept is closed with [#TOO_OLD]. That tells it to read the tables
/// again.
final class Follower implements Socket.Listener {
    /// WebSocket close code: the position asked for, or reached, is older than what is kept, or is not one of this
    /// replica's.
    static final int TOO_OLD = 4410;

    private static final int PAGE_ROWS = 200;
    private static final Duration READ_LIMIT = Duration.ofSeconds(10);

    /// Longest wait for a commit before checking whether the socket is still open.
    private static final Duration LOOK = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(Follower.class);

    /// @param isGone whether changes after the position are missing
    /// @param reached the position of the last change that was read, sent or not
    private record Page(boolean isGone, long reached, List<String> frames, boolean isLast) {}

    private final Store store;
    private final Socket socket;
    private final CommitSignal commits;
    private final Wanted wanted;
    private final Runnable left;
    private long position;

    /// The changes that a client asked for.
    ///
    /// @param tables names in lower case; empty for all
    /// @param actions empty for all
    /// @param after the position of the last change that the client has
    record Wanted(Set<String> tables, Set<String> actions, long after) {}

    /// @param left called once the client has disconnected
    Follower(Store store, Socket socket, CommitSignal commits, Wanted wanted, Runnable left) {
        this.store = store;
        this.socket = socket;
        this.commits = commits;
        this.wanted = wanted;
        this.position = wanted.after();
        this.left = left;
    }

    void start() {
        Thread.ofVirtual().name("perigee-cdc").start(store.threads().step("cdc", this::run));
    }

    @Override
    public void frame(String text, Runnable done) {
        done.run(); // Clients ask nothing here: their frames are ignored.
    }

    @Override
    public void closed() {
        commits.wake();
        left.run();
    }

    private void run() {
        try {
            while (socket.isOpen()) {
                long seen = commits.count();
                Page page = store.read(READ_LIMIT, this::page);
                if (page.isGone()) {
                    socket.close(TOO_OLD, "Changes after position %d are not kept.".formatted(position));
                    return;
                }
                for (String frame : page.frames()) {
                    if (!socket.send(frame)) return;
                }
                position = page.reached();
                if (page.isLast()) commits.await(seen, LOOK);
            }
        } catch (PerigeeException e) {
            if (e.fault() != Fault.CLOSED)
                LOG.warn("A client of /cdc is disconnected: its changes could not be read", e);
            socket.close(1013, "The changes cannot be read now; reconnect with your position.");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            // Otherwise the client would wait forever for changes.
            socket.close(1011, "Internal error; the server's log has its cause. Reconnect with your position.");
            throw e;
        }
    }

    private Page page(Transaction tx) {
        SqliteStatement state = tx.statement("SELECT floor, is_recording,"
                + " max(floor, coalesce((SELECT max(position) FROM tmp_cdc_log), 0)) FROM tmp_cdc_state");
        state.step();
        // A position past the latest is of another replica, or of this one before an older state was restored.
        boolean isGone = position < state.intAt(0) || state.intAt(1) == 0 || position > state.intAt(2);
        state.reset();
        if (isGone) return new Page(true, position, List.of(), true);
        SqliteStatement select = tx.statement("""
                SELECT position, at, action, table_name, data, old FROM tmp_cdc_log
                WHERE position > ?1 ORDER BY position LIMIT ?2""").bindInt(1, position).bindInt(2, PAGE_ROWS);
        List<String> frames = new ArrayList<>();
        long reached = position;
        int count = 0;
        long bytes = 0;
        boolean isCut = false;
        while (!isCut && select.step()) {
            count++;
            reached = select.intAt(0);
            String action = String.valueOf(select.textAt(2));
            String table = String.valueOf(select.textAt(3));
            if (isWanted(action, table)) {
                String frame = frame(select, action, table);
                bytes += frame.length();
                frames.add(frame);
            }
            isCut = bytes > RowImages.MAX_ROW_BYTES;
        }
        select.reset();
        return new Page(false, reached, frames, !isCut && count < PAGE_ROWS);
    }

    private boolean isWanted(String action, String table) {
        return (wanted.actions().isEmpty() || wanted.actions().contains(action))
                && (wanted.tables().isEmpty() || wanted.tables().contains(SqlNames.folded(table)));
    }

    private static String frame(SqliteStatement row, String action, String table) {
        String data = row.textAt(4);
        String old = row.textAt(5);
        return "{\"type\":\"cdc_event\",\"payload\":{\"action\":\"%s\",\"schema\":\"main\",\"table\":%s,\"data\":%s%s,\"position\":%d,\"at\":\"%s\"}}"
                .formatted(
                        action,
                        Json.MAPPER.writeValueAsString(table),
                        data == null ? "null" : data,
                        old == null ? "" : ",\"old\":" + old,
                        row.intAt(0),
                        row.textAt(1));
    }
}
