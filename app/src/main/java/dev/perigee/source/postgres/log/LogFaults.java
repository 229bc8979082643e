package dev.perigee.source.postgres.log;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.postgres.session.PostgresFaults;
import java.sql.SQLException;
import java.util.Optional;

/// The faults that only concern replication slots and connections for replication, each with its remedy.
record LogFaults(SourceConfig config, String slot) {
    private static final String NOTHING = "Nothing was changed";

    /// What a step does at the server.
    interface Step<T> {
        T take() throws SQLException;
    }

    /// Returns what `step` returns. An exception of the driver becomes a fault, and is its cause.
    <T> T guard(Step<T> step) {
        return PostgresFaults.guard(where(), config, () -> {
            try {
                return step.take();
            } catch (SQLException e) {
                Optional<PerigeeException> known = known(e);
                if (known.isPresent()) throw known.get();
                throw e;
            }
        });
    }

    private String where() {
        return slot.isEmpty() ? config.place() : "replication slot " + slot;
    }

    private Optional<PerigeeException> known(SQLException e) {
        return Optional.ofNullable(
                switch (PostgresFaults.state(e)) {
                    case "55006" ->
                        in(
                                Fault.SOURCE_BUSY,
                                "wait for the other session, or end it: SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '%s'. Only one Perigee may follow with this slot"
                                        .formatted(slot),
                                e);
                    case "42704" ->
                        in(
                                Fault.SOURCE_FAILED,
                                "let Perigee create the slot and its publication again, and compare the copies with their source",
                                e);
                    case "55000" ->
                        in(
                                Fault.SOURCE_FAILED,
                                "drop the slot and let Perigee create it again; raise `max_slot_wal_keep_size` at the source if the slot was invalidated for its size",
                                e);
                    case "53400" ->
                        in(
                                Fault.SOURCE_FAILED,
                                "raise `max_replication_slots` at the source, or drop slots that nobody uses",
                                e);
                    case "53300" ->
                        in(
                                Fault.SOURCE_BUSY,
                                "raise `max_wal_senders` at the source, or end connections for replication that nobody uses",
                                e);
                    case "42501", "28000" ->
                        in(
                                Fault.SOURCE_PERMISSION,
                                "run at the source: ALTER ROLE … REPLICATION (Amazon RDS and Aurora: GRANT rds_replication TO …), and let pg_hba.conf accept the user for the database",
                                e);
                    case "08P01" ->
                        in(
                                Fault.SOURCE_UNSUPPORTED,
                                "connect to the server itself: poolers do not pass connections for replication on",
                                e);
                    case "57014" ->
                        in(
                                Fault.SOURCE_TIMEOUT,
                                "wait for the transactions that are open at the source, or end them: a slot begins when they have ended. `SELECT pid, xact_start, query FROM pg_stat_activity WHERE backend_xid IS NOT NULL` shows them",
                                e);
                    default -> null;
                });
    }

    private PerigeeException in(Fault fault, String remedy, SQLException e) {
        return fault.in(where(), PostgresFaults.said(e), NOTHING, remedy, e);
    }
}
