package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.perigee.config.PerigeeConfigReader.Overrides;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.testing.Contract;
import dev.perigee.testing.Golden;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PerigeeConfigReaderTest {
    private static final Path EXAMPLE = Path.of("..", "perigee.example.yaml");
    private static final Map<String, String> TOKEN = Map.of("ADMIN_AUTHORIZATION_TOKEN", "secret-token");

    @TempDir
    private Path dir;

    @Test
    void every_mistake_is_reported_at_once_with_its_place() throws IOException {
        Path file = Files.copy(resource("mistakes.yaml"), dir.resolve("perigee.yaml"));

        String message = failure(file, Map.of("A_SECRET", "geheim", "EXTERNAL_DB_PORT", "x"));

        Golden.assertMatches("config/mistakes.txt", message.replace(dir + "/", ""));
        assertThat(message).doesNotContain("geheim").doesNotContain("anders");
    }

    @Test
    void a_file_that_cannot_be_read_is_told_in_words() throws IOException {
        Path folder = Files.createDirectory(dir.resolve("folder"));
        Path latin = Files.write(dir.resolve("latin.yaml"), new byte[] {'a', (byte) 0xe4});
        Path secret = Files.writeString(dir.resolve("secret.yaml"), "{}");

        assertThat(failure(dir.resolve("nothing.yaml"), TOKEN))
                .contains("command line: --config: there is no file " + dir.resolve("nothing.yaml"));
        assertThat(failure(folder, TOKEN)).contains("--config: %s is a folder, expected a file".formatted(folder));
        assertThat(failure(latin, TOKEN)).contains("--config: %s is not UTF-8 text".formatted(latin));
        Set<PosixFilePermission> none = Set.of();
        Files.setPosixFilePermissions(secret, none);
        if (!Files.isReadable(secret)) { // For root it still is.
            assertThat(failure(secret, TOKEN)).contains("--config: no permission to read %s".formatted(secret));
        }
    }

    @Test
    void the_example_is_the_defaults() {
        PerigeeConfig config = PerigeeConfigReader.read(
                Optional.of(EXAMPLE),
                Overrides.NONE,
                Map.of("ADMIN_AUTHORIZATION_TOKEN", "secret-token", "SHOP_PASSWORD", "geheim"));
        PerigeeConfig plain = PerigeeConfigReader.read(Optional.empty(), Overrides.NONE, TOKEN);

        assertThat(config.store()).isEqualTo(plain.store()).isEqualTo(StoreConfig.of(Path.of("data")));
        assertThat(config.serve()).isEqualTo(plain.serve()).isEqualTo(ServeConfig.of(8787, "secret-token"));
        assertThat(config.query()).isEqualTo(plain.query()).isEqualTo(QueryConfig.defaults());
        assertThat(plain.replication()).isEqualTo(ReplicationConfig.defaults());
        assertThat(plain.source()).isEmpty();
        assertThat(config.replication().tables())
                .containsExactly(TableConfig.of("orders", "updated_at", TableConfig.DEFAULT_INTERVAL));
        assertThat(config.source().orElseThrow().password()).isEqualTo("geheim");
        SourceConfig fromUrl =
                SourceUrl.source("postgres://perigee:geheim@db.example.com/shop?sslmode=require", "x", Map.of());
        assertThat(config.source()).contains(fromUrl);
    }

    @Test
    void the_example_has_every_setting() throws IOException {
        String example = Files.readString(EXAMPLE);

        assertThat(Stream.of(
                                StoreConfig.class,
                                ServeConfig.class,
                                ServeConfig.Access.class,
                                ServeConfig.Limits.class,
                                QueryConfig.class,
                                QueryConfig.Limits.class,
                                SourceConfig.class,
                                SourceConfig.Limits.class,
                                ReplicationConfig.class,
                                TableConfig.class,
                                TableConfig.Finding.class,
                                TableConfig.Schedule.class,
                                TableConfig.Layout.class,
                                GuaranteeSettings.class)
                        .flatMap(type -> Arrays.stream(type.getRecordComponents()))
                        .filter(component -> !component.getType().isRecord())
                        .map(RecordComponent::getName)
                        .filter(name -> !name.equals("places")) // where tables stand in the file
                        .filter(name -> !example.contains(" " + name + ":")))
                .isEmpty();
    }

    @Test
    void every_setting_can_be_set() throws IOException {
        PerigeeConfig config = read("""
                store: {directory: d, fileName: r.db, readers: 9, writeQueue: 8, walLimitBytes: 7MB,
                        checkpointBytes: 64 KB, pageCacheBytes: 1048576, lockWait: 3s}
                serve: {host: "::1", port: 1, adminToken: a, clientToken: c, jwksEndpoint: "https://k/j",
                        jwtAlgorithm: ES256, allowedOrigins: "https://o", maxBodyBytes: 2KB, maxConnections: 5,
                        requestTimeout: 2h, shutdownGrace: 250ms}
                query: {readLimit: 1d, writeLimit: 1s, maxStatementBytes: 500, maxRows: 4, maxTransactionStatements: 2,
                        maxWriteBytes: 3MB}
                replication: {parallelTables: 4, keepRuns: 3, retryFirst: 2s, retryMax: 2s, adminsWriteCopies: true, tables: [
                    {name: a.b, cursorColumn: c, cron: "0 3 * * *", timeZone: Europe/Zurich, key: [k], columns: [k, c],
                     exclude: [x], target: t, pageRows: 5, nullCursor: reject, indexes: true, numeric: text,
                     timestamps: epoch_micros, paused: true},
                    {name: b, cursorColumn: c, intervalMs: 1500},
                    {name: c, mode: xmin, group: g, deletes: sweep(10m), maxDeletedShare: 0.5, verify: 24h, settle: 0s,
                     stampedBy: client, droppedColumns: drop, rowSecurity: filtered}]}
                """, Map.of());

        assertThat(config.store())
                .isEqualTo(
                        new StoreConfig(Path.of("d"), "r.db", 9, 8, 7 << 20, 64 << 10, 1 << 20, Duration.ofSeconds(3)));
        assertThat(config.serve())
                .isEqualTo(new ServeConfig(
                        "::1",
                        1,
                        new ServeConfig.Access("a", Optional.of("c"), Optional.of("https://k/j"), "ES256"),
                        java.util.List.of("https://o"),
                        new ServeConfig.Limits(2048, 5, Duration.ofHours(2), Duration.ofMillis(250)),
                        SurfaceConfig.DEFAULTS,
                        false));
        assertThat(config.query())
                .isEqualTo(new QueryConfig(Duration.ofDays(1), Duration.ofSeconds(1), 500, 4, 2, 3 << 20));
        TableConfig table = config.replication().tables().getFirst();
        assertThat(table.timeZone()).contains("Europe/Zurich");
        assertThat(table.nullCursor()).isEqualTo(TableConfig.NullCursor.REJECT);
        assertThat(TableSettings.fields(table))
                .containsEntry("target", "t")
                .containsEntry("paused", true)
                .containsEntry("cron", "0 3 * * *")
                .containsEntry("pageRows", 5);
        assertThat(config.replication().tables().get(1).interval()).isEqualTo(Duration.ofMillis(1500));
        TableConfig guarded = config.replication().tables().get(2);
        assertThat(guarded.mode()).isEqualTo(TableConfig.Mode.XMIN);
        assertThat(guarded.cursorColumn()).isEmpty();
        assertThat(guarded.group()).contains("g");
        assertThat(guarded.promises())
                .isEqualTo(new GuaranteeSettings(
                        Duration.ZERO,
                        TableConfig.StampedBy.CLIENT,
                        Optional.of(Duration.ofHours(24)),
                        new Deletes.Sweep(Duration.ofMinutes(10)),
                        0.5));
        assertThat(guarded.droppedColumns()).isEqualTo(TableConfig.DroppedColumns.DROP);
        assertThat(guarded.rowSecurity()).isEqualTo(TableConfig.RowSecurity.FILTERED);
        assertThat(config.replication().adminsWriteCopies()).isTrue();
        assertThat(config.replication().retryMax()).isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void the_command_line_wins_over_the_environment_and_that_over_the_file() throws IOException {
        Path file = Files.writeString(dir.resolve("p.yaml"), """
                store: {directory: file}
                serve: {host: file, port: 1, adminToken: file, clientToken: file-client}
                source: {host: file, password: file, database: file, defaultSchema: sales, maxConnections: 3}
                """);

        PerigeeConfig config = PerigeeConfigReader.read(
                Optional.of(file),
                new Overrides(Optional.of(Path.of("line")), Optional.of("line"), OptionalInt.of(2)),
                Map.of("ADMIN_AUTHORIZATION_TOKEN", "environment", "EXTERNAL_DB_HOST", "environment"));

        assertThat(config.store().directory()).isEqualTo(Path.of("line"));
        assertThat(config.serve().host()).isEqualTo("line");
        assertThat(config.serve().port()).isEqualTo(2);
        assertThat(config.serve().access().adminToken()).isEqualTo("environment");
        assertThat(config.serve().access().clientToken()).contains("file-client");
        SourceConfig source = config.source().orElseThrow();
        assertThat(source.host()).isEqualTo("environment");
        assertThat(source.password())
                .as("a password goes to no host it was not given for")
                .isEmpty();
        assertThat(source.defaultSchema()).isEqualTo("sales");
        assertThat(source.limits().maxConnections()).isEqualTo(3);
    }

    @Test
    void variables_are_replaced_in_values_of_every_kind() throws IOException {
        PerigeeConfig config = read("""
                serve: {port: "${PORT}", adminToken: "$${x}-${T}${T}"}
                replication: {tables: [{name: "${N}", cursorColumn: c, pageRows: "${ROWS}"}]}
                """, Map.of("PORT", "99", "T", "a$1\\", "N", "orders", "ROWS", "7"));

        assertThat(config.serve().port()).isEqualTo(99);
        assertThat(config.serve().access().adminToken()).isEqualTo("${x}-a$1\\a$1\\");
        assertThat(config.replication().tables().getFirst().name()).isEqualTo("orders");
        assertThat(config.replication().tables().getFirst().pageRows()).isEqualTo(7);
    }

    @Test
    void without_an_admin_token_it_says_how_to_make_one() {
        PerigeeException failure = catchThrowableOfType(
                PerigeeException.class,
                () -> PerigeeConfigReader.read(
                        Optional.empty(), Overrides.NONE, Map.of("ADMIN_AUTHORIZATION_TOKEN", "")));

        assertThat(failure).hasMessage("""
                CONFIG_INVALID: a mistake in the configuration. Nothing was started.
                  environment: ADMIN_AUTHORIZATION_TOKEN: expected the admin's token; make one with: \
                export ADMIN_AUTHORIZATION_TOKEN=$(openssl rand -hex 24)""");
    }

    @Test
    void a_client_with_the_admins_token_is_refused_without_the_token() throws IOException {
        Path file = Files.writeString(dir.resolve("p.yaml"), "serve: {clientToken: secret-token}");

        assertThat(failure(file, TOKEN))
                .contains("CLIENT_AUTHORIZATION_TOKEN: expected a token other than the admin's")
                .doesNotContain("secret-token");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a: [", "\tx: 1", "a: 1\n---\nb: 2", "- x", "text", "{[a]: 1}", "a: *b", "a: &b [*b]"})
    void what_is_no_configuration_at_all_is_a_mistake_with_a_place(String text) throws IOException {
        Path file = Files.writeString(dir.resolve("p.yaml"), text);

        assertThat(failure(file, TOKEN)).contains("\n  " + file + ":");
    }

    @Test
    void an_empty_file_is_the_defaults() throws IOException {
        assertThat(read("", TOKEN)).isEqualTo(PerigeeConfigReader.read(Optional.empty(), Overrides.NONE, TOKEN));
        assertThat(read("store:\nserve:\nreplication:\n  tables:\n", TOKEN).query())
                .isEqualTo(QueryConfig.defaults());
    }

    @Test
    @Contract("Kept: ENABLE_RLS switches row-level security on")
    void row_level_security_is_off_unless_the_environment_or_the_file_says_so() throws IOException {
        assertThat(read("", TOKEN).query().rowLevelSecurity()).isFalse();
        assertThat(read("query:\n  rowLevelSecurity: true\n", TOKEN).query().rowLevelSecurity())
                .isTrue();
        Map<String, String> on = Map.of("ADMIN_AUTHORIZATION_TOKEN", "secret-token", "ENABLE_RLS", "1");
        assertThat(read("query:\n  rowLevelSecurity: false\n", on).query().rowLevelSecurity())
                .isTrue();
    }

    private PerigeeConfig read(String text, Map<String, String> environment) throws IOException {
        Path file = Files.writeString(dir.resolve("perigee.yaml"), text);
        return PerigeeConfigReader.read(Optional.of(file), Overrides.NONE, environment);
    }

    private static String failure(Path file, Map<String, String> environment) {
        PerigeeException failure = catchThrowableOfType(
                PerigeeException.class, () -> PerigeeConfigReader.read(Optional.of(file), Overrides.NONE, environment));
        assertThat(failure).as("is refused").isNotNull();
        assertThat(failure.fault()).isEqualTo(Fault.CONFIG_INVALID);
        return failure.getMessage();
    }

    private static Path resource(String name) {
        return Path.of("src", "test", "resources", "dev", "perigee", "config", name);
    }
}
