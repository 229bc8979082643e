package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.CopyDefinition.CopyColumn;
import dev.perigee.source.HighWaterMark;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Where one table stands, as `GET /replication/status` shows it. The fields are explained in `docs/replication.md`.
///
/// @param cursorColumn absent in modes without one
/// @param cursor the greatest cursor value pulled, in the source's text form
/// @param cursorKey the key of the row that had it, which breaks ties
/// @param textNumbers values of exact numeric columns that came as text, because no SQLite number has all their digits
/// @param lag milliseconds since the last sync that succeeded began: the copy is not older
/// @param guarantee what is promised about the copy
/// @param notes what else an admin should know: of the table, and of columns whose type is kept as text
public record TableStatus(
        String name,
        Optional<String> target,
        Optional<String> cursorColumn,
        Optional<Long> intervalMs,
        Optional<String> cron,
        Optional<String> cursor,
        Optional<List<String>> cursorKey,
        List<String> key,
        int columnCount,
        long rowCount,
        long rowsPulled,
        long textNumbers,
        Optional<Instant> lastSyncAt,
        Optional<Instant> nextSyncAt,
        String state,
        Optional<Long> lag,
        String guarantee,
        int failures,
        Optional<LastError> lastError,
        Optional<Progress> progress,
        List<String> notes) {

    /// What this version promises: rows are found by polling the cursor. A transaction that commits after a greater
    /// cursor value was pulled, a deleted row, and an update that leaves the cursor as it was are not seen.
    public static final String POLLED = "polled";

    /// Nothing is promised before everything was fetched once.
    public static final String LOADING = "loading";

    /// @param at when it happened
    public record LastError(String fault, String message, String remedy, Instant at) {}

    static TableStatus of(TableRunner runner, Optional<TableState> state, Instant now) {
        TableConfig config = runner.config();
        Optional<CopyDefinition> definition = state.flatMap(TableState::definition);
        return new TableStatus(
                config.name(),
                state.flatMap(TableState::target),
                config.cursorColumn(),
                config.cron().isPresent()
                        ? Optional.empty()
                        : Optional.of(config.interval().toMillis()),
                config.cron(),
                state.flatMap(TableState::cursor).flatMap(HighWaterMark::cursor),
                state.flatMap(TableState::cursor).map(HighWaterMark::key),
                definition.map(CopyDefinition::key).orElse(List.of()),
                definition
                        .map(CopyDefinition::columns)
                        .map(List<CopyColumn>::size)
                        .orElse(0),
                state.map(TableState::rowCount).orElse(0L),
                state.map(TableState::rowsPulled).orElse(0L),
                state.map(TableState::textNumbers).orElse(0L),
                state.flatMap(TableState::lastSyncAt),
                runner.isPaused() ? Optional.empty() : runner.due(),
                runner.state(),
                state.flatMap(TableState::freshAt).map(fresh -> Math.max(0, now.toEpochMilli() - fresh.toEpochMilli())),
                state.filter(TableState::isLoaded).isPresent() ? POLLED : LOADING,
                state.map(TableState::failures).orElse(0),
                state.flatMap(s -> s.error()
                        .map(e -> new LastError(
                                e.fault(), e.message(), e.remedy(), s.errorAt().orElse(now)))),
                runner.progress(),
                notes(runner, definition));
    }

    private static List<String> notes(TableRunner runner, Optional<CopyDefinition> definition) {
        List<String> notes = new ArrayList<>();
        if (runner.isOrphan()) {
            notes.add("paused, because the configuration file no longer names it; "
                    + "remove it, or resume it with {\"paused\": false}");
        }
        for (CopyColumn column : definition.map(CopyDefinition::columns).orElse(List.of())) {
            column.note().ifPresent(note -> notes.add("column \"%s\": %s".formatted(column.name(), note)));
        }
        return notes;
    }
}
