package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// `GET /export/dump`, `/export/json/:table`, `/export/csv/:table` and `/export/sqlite`, for admins: each from a copy
/// of the replica that is made first and removed afterwards.
public final class ExportPlugin extends StarbasePlugin {
    /// Maximum number of exports at once; each has a copy of the replica on the disk.
    private static final int MAX_EXPORTS = 2;

    private static final List<String> FORMATS = List.of("dump", "sqlite", "json", "csv");
    private static final Duration LOOK_LIMIT = Duration.ofSeconds(5);

    private final Semaphore exports = new Semaphore(MAX_EXPORTS);
    private @Nullable PluginHost host;
    private @Nullable ExportJobs jobs;

    public ExportPlugin() {
        super("starbasedb:export", true, "/export");
    }

    /// Writes the content of an export from the copy.
    @FunctionalInterface
    private interface Writing {
        void write(SqliteConnection connection, OutputStream out) throws IOException;
    }

    @Override
    public void register(PluginHost given) {
        host = given;
        ExportFile.clear(given.store());
        given.route("GET", "/dump", Access.ADMIN, _ -> export("dump", Optional.empty()));
        given.route("GET", "/json/:table", Access.ADMIN, request -> export("json", named(request)));
        given.route("GET", "/csv/:table", Access.ADMIN, request -> export("csv", named(request)));
        given.route("GET", "/sqlite", Access.ADMIN, _ -> export("sqlite", Optional.empty()));
        addJobs(given);
    }

    @Override
    public void start() {
        jobs().start();
    }

    @Override
    public void stop() {
        jobs().close();
    }

    private void addJobs(PluginHost given) {
        jobs = new ExportJobs(
                given.store(),
                given.clock(),
                (format, table) -> export(format, table).body());
        given.route("POST", "/jobs", Access.ADMIN, request -> {
            JsonNode body = request.json();
            String format = body.path("format").asString("");
            if (!FORMATS.contains(format)) {
                throw Fault.INVALID_REQUEST.saying("\"format\" must be one of %s.".formatted(FORMATS));
            }
            Optional<String> table = format.equals("json") || format.equals("csv")
                    ? Optional.of(tableName(body.path("table").asString("")))
                    : Optional.empty();
            return Response.result(202, shown(jobs().add(format, table)));
        });
        given.route(
                "GET",
                "/jobs",
                Access.ADMIN,
                _ -> Response.result(
                        jobs().all().stream().map(ExportPlugin::shown).toList()));
        given.route(
                "GET",
                "/jobs/:id",
                Access.ADMIN,
                request -> Response.result(shown(jobs().find(request.pathParameter("id")))));
        given.route("DELETE", "/jobs/:id", Access.ADMIN, request -> {
            jobs().remove(request.pathParameter("id"));
            return Response.result(Map.of("removed", true));
        });
        given.route("GET", "/jobs/:id/download", Access.ADMIN, request -> download(request.pathParameter("id")));
    }

    private Response download(String id) {
        ExportJob job = jobs().find(id);
        Path file = jobs().file(job);
        // Only for the headers. The table is not looked up, because it may be gone by now.
        Response like = switch (job.format()) {
            case "json", "csv" ->
                table(job.table().orElse(""), job.format(), _ -> job.table().orElse(""));
            default -> export(job.format(), job.table());
        };
        return new Response(200, like.contentType(), like.headers(), out -> Files.copy(file, out));
    }

    private static Map<String, Object> shown(ExportJob job) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", job.id());
        shown.put("format", job.format());
        job.table().ifPresent(table -> shown.put("table", table));
        shown.put("state", job.state().name().toLowerCase(Locale.ROOT));
        shown.put("createdAt", job.createdAt());
        job.finishedAt().ifPresent(at -> shown.put("finishedAt", at));
        shown.put("bytes", job.bytes());
        shown.put("sourceBytes", job.sourceBytes());
        job.error().ifPresent(error -> shown.put("error", error));
        if (job.state() == ExportJob.State.DONE) shown.put("download", "/export/jobs/" + job.id() + "/download");
        return shown;
    }

    private ExportJobs jobs() {
        if (jobs == null) throw new IllegalStateException("the plugin is not registered");
        return jobs;
    }

    private static Optional<String> named(Request request) {
        return Optional.of(request.pathParameter("table"));
    }

    /// The answer of an export.
    ///
    /// @param format `dump`, `sqlite`, or `json` and `csv` of a table
    /// @throws dev.perigee.fault.PerigeeException [Fault#NOT_FOUND] for another format, or if there is no such table
    public Response export(String format, Optional<String> table) {
        return switch (format) {
            case "dump" ->
                answer(
                        "database_dump.sql",
                        "application/x-sqlite3",
                        (connection, out) -> new SqlDump(connection, out).write());
            case "sqlite" -> file();
            case "json", "csv" -> table(table.orElse(""), format, this::tableName);
            default -> throw Fault.NOT_FOUND.saying("Not found");
        };
    }

    private Response table(String wanted, String format, UnaryOperator<String> lookedUp) {
        String name = lookedUp.apply(wanted);
        String type = format.equals("csv") ? "text/csv" : "application/json";
        return answer(name + "_export." + format, type, (connection, out) -> {
            TableExport export = new TableExport(connection, name);
            if (format.equals("csv")) export.csv(out);
            else export.json(out);
        });
    }

    /// The table's or view's name as the schema has it; looked up before the copy is made, so that a mistake costs
    /// nothing.
    private String tableName(String wanted) {
        String name = host().store().read(LOOK_LIMIT, transaction -> {
            SqliteStatement select = transaction
                    .statement(
                            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE"
                                    + " AND name NOT LIKE 'tmp\\_%' ESCAPE '\\'")
                    .bindText(1, wanted);
            return select.step() ? String.valueOf(select.textAt(0)) : "";
        });
        if (name.isEmpty()) throw Fault.NOT_FOUND.saying("Table '%s' does not exist.".formatted(wanted));
        return name;
    }

    private Response answer(String fileName, String type, Writing writing) {
        return attachment(
                fileName,
                type,
                (copy, out) -> onPlatformThread(() -> {
                    try (SqliteConnection connection = copy.open()) {
                        writing.write(connection, out);
                    }
                }));
    }

    private Response file() {
        return attachment("database.sqlite", "application/vnd.sqlite3", (copy, out) -> Files.copy(copy.path(), out));
    }

    @FunctionalInterface
    private interface Sending {
        void send(ExportFile copy, OutputStream out) throws IOException;
    }

    private Response attachment(String fileName, String type, Sending sending) {
        Response.Body body = out -> {
            if (!exports.tryAcquire()) {
                throw Fault.BUSY.saying(
                        "%d exports are already running, and each needs space for a copy on the disk: try again when one has ended."
                                .formatted(MAX_EXPORTS));
            }
            try (ExportFile copy = ExportFile.of(host().store())) {
                sending.send(copy, out);
            } finally {
                exports.release();
            }
        };
        return new Response(200, type, Map.of("Content-Disposition", disposition(fileName)), body);
    }

    /// The header's value by RFC 6266: the name in ASCII and, if that differs, in full.
    private static String disposition(String fileName) {
        String ascii = fileName.replaceAll("[^A-Za-z0-9 ._~-]", "_");
        StringBuilder encoded = new StringBuilder();
        for (byte b : fileName.getBytes(StandardCharsets.UTF_8)) {
            boolean isPlain = b > 0 && (Character.isLetterOrDigit(b) || "._-~".indexOf(b) >= 0);
            encoded.append(isPlain ? String.valueOf((char) b) : "%%%02X".formatted(b & 0xff));
        }
        return ascii.equals(fileName)
                ? "attachment; filename=\"%s\"".formatted(ascii)
                : "attachment; filename=\"%s\"; filename*=UTF-8''%s".formatted(ascii, encoded);
    }

    @FunctionalInterface
    private interface Task {
        void run() throws IOException;
    }

    /// SQLite would pin the carrier of a virtual thread, which others need.
    private static void onPlatformThread(Task task) throws IOException {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        Thread.ofPlatform().name("perigee-export").start(() -> {
            try {
                task.run();
                done.complete(true);
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        try {
            done.join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case UncheckedIOException cause -> throw cause.getCause();
                case RuntimeException cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    private PluginHost host() {
        if (host == null) throw new IllegalStateException("the plugin is not registered");
        return host;
    }
}
