package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.BulkWrite;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.plugin.Upload;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// `POST /import/dump`, `/import/json/:table` and `/import/csv/:table`, for admins. The body goes to the disk first, so
/// that no write waits for a slow client. Then all of it is imported in one transaction, or nothing.
public final class ImportPlugin extends StarbasePlugin {
    /// Maximum number of imports at once; each has its file on the disk.
    private static final int MAX_IMPORTS = 2;

    /// Imports whose progress is shown, including those that are over.
    private static final int KEPT = 20;

    private static final String FOLDER = "imports";
    private static final Duration LOOK_LIMIT = Duration.ofSeconds(5);

    private final long maxBytes;
    private final Semaphore imports = new Semaphore(MAX_IMPORTS);
    private final Deque<ImportProgress> latest = new ArrayDeque<>();
    private long count;
    private @Nullable PluginHost host;

    /// @param maxBytes longest body
    public ImportPlugin(long maxBytes) {
        super("starbasedb:import", true, "/import");
        this.maxBytes = maxBytes;
    }

    @Override
    public void register(PluginHost given) {
        host = given;
        clear();
        given.route("GET", "/status", Access.ADMIN, _ -> Response.result(status()));
        given.uploadRoute("POST", "/dump", Access.ADMIN, maxBytes, request -> one(request, "dump", this::dump));
        given.uploadRoute("POST", "/json/:table", Access.ADMIN, maxBytes, request -> one(request, "json", this::json));
        given.uploadRoute("POST", "/csv/:table", Access.ADMIN, maxBytes, request -> one(request, "csv", this::csv));
    }

    @FunctionalInterface
    private interface Import {
        Response run(Request request, ImportProgress progress) throws IOException;
    }

    private Response one(Request request, String format, Import wanted) {
        if (!imports.tryAcquire())
            throw Fault.BUSY.saying(
                    "%d imports are already running: try again when one has ended.".formatted(MAX_IMPORTS));
        ImportProgress progress = begin(format, request.pathParameters().get("table"));
        try {
            Response answer = wanted.run(request, progress);
            progress.done();
            return answer;
        } catch (MalformedInputException _) {
            throw failed(progress, Fault.INVALID_REQUEST.saying("The text is not UTF-8."));
        } catch (IOException e) {
            throw failed(progress, Fault.DISK_FAILED.in("import", e.toString(), "Nothing was imported", e));
        } catch (RuntimeException e) {
            throw failed(progress, e);
        } finally {
            imports.release();
        }
    }

    private static RuntimeException failed(ImportProgress progress, RuntimeException why) {
        progress.failed(String.valueOf(why.getMessage()));
        return why;
    }

    private ImportProgress begin(String format, @Nullable String table) {
        synchronized (latest) {
            ImportProgress progress = new ImportProgress(++count, format, Optional.ofNullable(table), host().clock());
            latest.addFirst(progress);
            if (latest.size() > KEPT) latest.removeLast();
            return progress;
        }
    }

    /// The progress of the imports that are kept, latest first.
    private List<Map<String, Object>> status() {
        synchronized (latest) {
            return latest.stream().map(ImportProgress::shown).toList();
        }
    }

    private Response dump(Request request, ImportProgress progress) throws IOException {
        boolean reports = reports(request);
        try (Upload upload = request.upload("sqlFile", folder())) {
            progress.uploaded(upload.file());
            if (upload.fileName().isPresent() && !upload.fileName().get().endsWith(".sql")) {
                throw Fault.INVALID_REQUEST.saying("Uploaded file must be a .sql file");
            }
            DumpImport done = host().queries()
                    .bulk(
                            request.caller(),
                            bulk -> unchecked(() -> {
                                DumpImport dump = new DumpImport(bulk, reports);
                                dump.read(upload.file(), progress);
                                return dump;
                            }));
            Map<String, Object> result = new LinkedHashMap<>();
            result.put(
                    "message",
                    "SQL dump import completed. %d statements succeeded, %d failed."
                            .formatted(done.succeeded(), done.failed()));
            result.put("details", done.failures());
            return Response.result(done.failed() > 0 ? 207 : 200, result);
        }
    }

    private Response json(Request request, ImportProgress progress) throws IOException {
        String table = table(request);
        boolean reports = reports(request);
        boolean decodesBlobs = decodesBlobs(request);
        Map<String, String> given = mapping(request);
        try (Upload upload = request.upload("file", folder())) {
            progress.uploaded(upload.file());
            requireType(upload, "application/json");
            JsonRows rows = new JsonRows(upload.file());
            Map<String, String> mapping = rows.head().mapping();
            mapping.putAll(given);
            return answer(host().queries()
                    .bulk(
                            request.caller(),
                            bulk -> unchecked(() -> {
                                RowImport into = new RowImport(bulk, table, mapping, reports, decodesBlobs, progress);
                                rows.read(into, progress);
                                return into;
                            })));
        }
    }

    private Response csv(Request request, ImportProgress progress) throws IOException {
        String table = table(request);
        boolean reports = reports(request);
        boolean decodesBlobs = decodesBlobs(request);
        Map<String, String> given = mapping(request);
        try (Upload upload = request.upload("file", folder())) {
            progress.uploaded(upload.file());
            requireType(upload, "text/csv", "application/json");
            Map<String, String> mapping = given;
            String text = null;
            if (upload.contentType().equals("application/json")) {
                JsonRows.Head head = new JsonRows(upload.file()).head();
                text = head.csv().orElseThrow(() -> Fault.INVALID_REQUEST.saying("Invalid CSV format or empty data"));
                mapping = head.mapping();
                mapping.putAll(given);
            }
            String wrapped = text;
            Map<String, String> names = mapping;
            return answer(host().queries()
                    .bulk(
                            request.caller(),
                            bulk -> unchecked(() -> {
                                try (Reader in = wrapped == null
                                        ? new InputStreamReader(
                                                progress.open(upload.file()), StandardCharsets.UTF_8.newDecoder())
                                        : new StringReader(wrapped)) {
                                    return records(
                                            bulk, new CsvRecords(in), table, names, reports, decodesBlobs, progress);
                                }
                            })));
        }
    }

    private static RowImport records(
            BulkWrite bulk,
            CsvRecords records,
            String table,
            Map<String, String> mapping,
            boolean reports,
            boolean decodesBlobs,
            ImportProgress progress)
            throws IOException {
        List<@Nullable String> head = records.next();
        if (head == null) throw Fault.INVALID_REQUEST.saying("Invalid CSV format or empty data");
        List<String> names = new ArrayList<>();
        for (String name : head) {
            if (name == null) throw Fault.INVALID_REQUEST.saying("Invalid CSV format: a column of line 1 has no name.");
            names.add(name);
        }
        RowImport into = new RowImport(bulk, table, mapping, reports, decodesBlobs, progress);
        for (List<@Nullable String> record = records.next(); record != null; record = records.next()) {
            if (record.size() != names.size()) {
                into.wrong("%d fields, but %d columns.".formatted(record.size(), names.size()), records.line());
                continue;
            }
            List<Cell> values = new ArrayList<>(record.size());
            for (String field : record) values.add(field == null ? Cell.Absent.NULL : new Cell.Text(field));
            into.row(names, values, records.line());
        }
        return into;
    }

    private static Response answer(RowImport done) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put(
                "message",
                "Imported %d out of %d records successfully. %d records failed."
                        .formatted(done.rows() - done.failed(), done.rows(), done.failed()));
        result.put("failedStatements", done.failures());
        return Response.result(result);
    }

    private static void requireType(Upload upload, String... types) {
        // A form's file often has no type of its own.
        if (upload.fileName().isPresent()) return;
        for (String type : types) if (upload.contentType().equals(type)) return;
        throw Fault.INVALID_REQUEST.saying("Unsupported Content-Type");
    }

    private static boolean reports(Request request) {
        String word = request.query("onError").orElse("stop");
        if (!word.matches("stop|report")) throw Fault.INVALID_REQUEST.saying("\"onError\" must be stop or report.");
        return word.equals("report");
    }

    private static boolean decodesBlobs(Request request) {
        String word = request.query("blobs").orElse("text");
        if (!word.matches("text|base64")) throw Fault.INVALID_REQUEST.saying("\"blobs\" must be text or base64.");
        return word.equals("base64");
    }

    private static Map<String, String> mapping(Request request) {
        return request.query("columnMapping").map(JsonRows::mapping).orElse(Map.of());
    }

    private String table(Request request) {
        String wanted = request.pathParameter("table");
        String name = host().store().read(LOOK_LIMIT, transaction -> {
            SqliteStatement select = transaction
                    .statement("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE")
                    .bindText(1, wanted);
            return select.step() ? String.valueOf(select.textAt(0)) : "";
        });
        if (name.isEmpty()) throw Fault.NOT_FOUND.saying("Table '%s' does not exist.".formatted(wanted));
        return name;
    }

    @FunctionalInterface
    private interface Reading<T> {
        T run() throws IOException;
    }

    private static <T> T unchecked(Reading<T> reading) {
        try {
            return reading.run();
        } catch (MalformedInputException _) {
            throw Fault.INVALID_REQUEST.saying("The text is not UTF-8.");
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in("import", e.toString(), "Nothing was imported", e);
        }
    }

    /// Removes the files left by a process that died during an import.
    private void clear() {
        if (!Files.isDirectory(folder())) return;
        try (Stream<Path> files = Files.list(folder())) {
            for (Path left : files.toList()) Files.delete(left);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path folder() {
        return host().store().file().resolveSibling(FOLDER);
    }

    private PluginHost host() {
        if (host == null) throw new IllegalStateException("the plugin is not registered");
        return host;
    }
}
