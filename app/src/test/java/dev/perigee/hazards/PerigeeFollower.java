package dev.perigee.hazards;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.TableStatus;
import dev.perigee.replication.TestHost;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Perigee itself: a store, the replication plugin and a PostgreSQL source, without the schedule.
public final class PerigeeFollower implements Follower {
    /// How tables are followed.
    public enum Mode {
        CURSOR,
        XMIN,
        GROUP
    }

    /// Longest run of a statement: hazards in which the source says nothing more wait for it.
    static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(2);

    private static final Set<String> WENT_BACK = Set.of("SOURCE_BEHIND_CURSOR", "SOURCE_REPLACED");

    private final Wiring wiring;
    private final TableConfig[] configs;
    private HookedSource source;
    private TestHost host;

    private PerigeeFollower(Wiring wiring, List<Hazard.Table> tables, Mode mode) {
        this.wiring = wiring;
        this.configs = tables.stream()
                .map(table -> config(table, mode, wiring.isStamped()))
                .toArray(TableConfig[]::new);
        open();
    }

    public static Kind by(Mode mode) {
        return (wiring, tables) -> new PerigeeFollower(wiring, tables, mode);
    }

    private static TableConfig config(Hazard.Table table, Mode mode, boolean isStamped) {
        Duration rarely = Duration.ofHours(1);
        TableConfig config = mode == Mode.XMIN
                ? TableConfig.of(table.name(), TableConfig.Mode.XMIN, rarely)
                : TableConfig.of(table.name(), table.cursor(), rarely);
        var builder = config.toBuilder().pageRows(PAGE_ROWS).key(List.of(table.key()));
        // Told so, it claims to be complete: that claim is what is watched.
        if (isStamped && mode != Mode.XMIN) builder.stampedBy(TableConfig.StampedBy.SOURCE);
        if (mode == Mode.GROUP) builder.group("together");
        return builder.build();
    }

    private void open() {
        SourceConfig base = TestPostgres.config(wiring.port(), wiring.database());
        source = new HookedSource(new PostgresSource(new SourceConfig(
                base.type(),
                base.host(),
                base.port(),
                base.user(),
                base.password(),
                base.database(),
                base.defaultSchema(),
                base.options(),
                new SourceConfig.Limits(2, STATEMENT_TIMEOUT, STATEMENT_TIMEOUT))));
        host = TestHost.idle(wiring.folder(), source, wiring.clock(), configs);
    }

    @Override
    public Optional<String> poll() {
        List<String> names = Arrays.stream(configs).map(TableConfig::name).toList();
        return host.plugin.pollTables(names).join().stream()
                .flatMap(result -> result.error().stream())
                .map(problem -> problem.fault() + ": " + problem.message())
                .findFirst();
    }

    @Override
    public Map<String, String> rows(Hazard.Table table) {
        Map<String, String> rows = new HashMap<>();
        if (status(table).target().isEmpty()) return rows;
        String sql = "SELECT CAST(\"%s\" AS TEXT), v FROM \"%s\"".formatted(table.key(), table.name());
        host.query(sql).forEach(row -> rows.put(row.get(0), row.get(1)));
        return rows;
    }

    boolean isGroup() {
        return configs[0].group().isPresent();
    }

    /// Cells of the copies, each as text.
    List<List<String>> query(String sql) {
        return host.query(sql);
    }

    @Override
    public Optional<Promise> promise(Hazard.Table table) {
        TableStatus status = status(table);
        return Optional.of(new Promise(
                status.promise().guarantee(),
                status.promise().completeAsOf(),
                status.copy().cursor()));
    }

    private TableStatus status(Hazard.Table table) {
        return host.plugin.status().stream()
                .filter(status -> status.name().equals(table.name()))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void onNextPage(Runnable hook) {
        source.onNextPage(hook);
    }

    @Override
    public void restart() {
        close();
        open();
    }

    /// What an admin does: a source that went back is recovered from, anything else is verified and repaired.
    @Override
    public boolean healed() {
        for (TableConfig config : configs) {
            boolean wentBack = host.plugin.status().stream()
                    .filter(status -> status.name().equals(config.name()))
                    .flatMap(status -> status.failing().lastError().stream())
                    .anyMatch(error -> WENT_BACK.contains(error.fault()));
            String path = "/tables/" + config.name();
            if (wentBack) host.post(path + "/recover", "").result();
            else
                host.post(path + "/verify", "{'repair': true, 'confirm': true}").result();
        }
        return true;
    }

    @Override
    public void close() {
        host.close();
        Thread.ofVirtual().start(source::close); // the pool waits for a second, and nobody needs to wait for it
    }
}
