package dev.perigee.statement;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// [Fault#STALE]: copies are not as fresh as a request wants.
public final class StaleException extends PerigeeException {
    private static final long serialVersionUID = 1;

    private final transient List<Stale> tables;
    private final transient Optional<Duration> eta;

    /// A copy that is not fresh enough.
    ///
    /// @param asOf as of when it is, by the source's clock; empty text where that is not known
    /// @param behindMillis how old it is; empty where that is not known
    public record Stale(String table, String asOf, Optional<Long> behindMillis) {}

    /// @param tables those that are not fresh enough
    /// @param eta when they may be; empty where nothing is known to make them so
    public StaleException(String message, List<Stale> tables, Optional<Duration> eta) {
        super(Fault.STALE, message, Fault.STALE.remedy(), null);
        this.tables = List.copyOf(tables);
        this.eta = eta;
    }

    public List<Stale> tables() {
        return tables;
    }

    public Optional<Duration> eta() {
        return eta;
    }
}
