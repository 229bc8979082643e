package dev.perigee.fault;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/// Remedies that several messages share. Each is an imperative sentence without a full stop and has the command for the
/// table.
public final class Remedies {
    private Remedies() {}

    public static String recover(String table) {
        return "make sure that it is the source you want, then recover the table: `perigee tables recover %s`, or POST /replication/tables/%s/recover"
                .formatted(word(table), segment(table));
    }

    public static String resync(String table) {
        return "fetch the table again from the beginning: `perigee tables resync %s`, or POST /replication/tables/%s/resync"
                .formatted(word(table), segment(table));
    }

    public static String sync(String table) {
        return "sync the table to its end: `perigee tables sync %s`, or POST /replication/sync; then repeat the request"
                .formatted(word(table));
    }

    /// The name as a word of a POSIX shell, quoted where needed.
    public static String word(String name) {
        return name.matches("[A-Za-z0-9_.]+") ? name : "'" + name.replace("'", "'\\''") + "'";
    }

    /// The name as a segment of a URL's path, percent-encoded.
    public static String segment(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
