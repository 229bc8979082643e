package dev.perigee.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that say how fresh the copies must be that a statement reads.
final class FreshnessOptions {
    @Option(
            names = "--max-staleness",
            paramLabel = "DURATION",
            description = "The copies that are read must be no older than this, such as 2s.")
    private @Nullable String maxStaleness;

    @Option(
            names = "--after",
            paramLabel = "TOKEN",
            description = "They must have seen this write, or this earlier answer; several with commas between them.")
    private @Nullable String after;

    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            description = "Wait at most this long for that. Default: the server's limit for reads.")
    private @Nullable String wait;

    @Option(
            names = "--if-stale",
            paramLabel = "WHAT",
            description = "What to do if they are older: wait, serve, fail, or ask the source. Default: wait.")
    private @Nullable String ifStale;

    /// The request's headers.
    Map<String, String> headers() {
        Map<String, String> headers = new LinkedHashMap<>();
        if (maxStaleness != null) headers.put("X-Perigee-Max-Staleness", maxStaleness);
        if (after != null) headers.put("X-Perigee-After", after);
        if (wait != null) headers.put("X-Perigee-Wait", wait);
        if (ifStale != null) headers.put("X-Perigee-If-Stale", ifStale);
        return headers;
    }
}
