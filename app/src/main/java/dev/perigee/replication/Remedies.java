package dev.perigee.replication;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/// What to do next, as several messages say it: imperative sentences without a full stop, with the table's own name in
/// the command.
final class Remedies {
    private Remedies() {}

    static String recover(String table) {
        return "make sure that it is the source you want, then recover the table: `perigee tables recover %s`, or POST /replication/tables/%s/recover"
                .formatted(word(table), segment(table));
    }

    static String resync(String table) {
        return "fetch the table again from the beginning: `perigee tables resync %s`, or POST /replication/tables/%s/resync"
                .formatted(word(table), segment(table));
    }

    static String sync(String table) {
        return "sync the table to its end: `perigee tables sync %s`, or POST /replication/sync; then ask again"
                .formatted(word(table));
    }

    /// A name as a shell takes it.
    static String word(String name) {
        return name.matches("[A-Za-z0-9_.]+") ? name : "'" + name.replace("'", "'\\''") + "'";
    }

    /// A name as a path takes it.
    static String segment(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
