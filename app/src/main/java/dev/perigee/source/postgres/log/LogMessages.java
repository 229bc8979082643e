package dev.perigee.source.postgres.log;

import dev.perigee.source.TableId;
import dev.perigee.source.postgres.decode.BigEndian;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads the messages of `pgoutput`, protocol version 1, and tells each to a [LogChanges]. Values stay where they are:
/// no object is made per value. Remembers the tables that the stream has described, at most one for each table of the
/// publication. Not safe for many threads.
///
/// @see <a href="https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html">Message Formats</a>
final class LogMessages {
    private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private final LogChanges changes;
    private final Map<Integer, LogRelation> relations = new HashMap<>();
    private final LogTuple before = new LogTuple();
    private final LogTuple row = new LogTuple();
    private byte[] bytes = {};
    private int at;

    LogMessages(LogChanges changes) {
        this.changes = changes;
    }

    /// @param message with an array of its own, as the driver gives it
    void read(ByteBuffer message) {
        bytes = message.array();
        at = message.arrayOffset() + message.position();
        byte type = bytes[at++];
        switch (type) {
            case 'B' -> changes.begin(int8(), EPOCH.plus(int8(), ChronoUnit.MICROS), int4());
            case 'C' -> {
                at += 1 + 8; // flags, which are not used, and the position of the commit, which `begin` had
                changes.commit(int8());
            }
            case 'R' -> relation();
            case 'I' -> {
                LogRelation relation = named();
                at++; // always 'N', for the new row
                row.read(bytes, at);
                changes.insert(relation, row);
            }
            case 'U' -> update();
            case 'D' -> {
                LogRelation relation = named();
                boolean isWhole = bytes[at++] == 'O';
                before.read(bytes, at);
                changes.delete(relation, before, isWhole);
            }
            case 'T' -> truncate();
            case 'Y', 'O', 'M' -> {
                // A type, an origin or a message of an application: nothing that a copy has.
            }
            default -> throw new IllegalStateException("a message of type " + type + " in the stream");
        }
    }

    private void update() {
        LogRelation relation = named();
        byte kind = bytes[at++];
        boolean hasBefore = kind == 'K' || kind == 'O';
        if (hasBefore) at = before.read(bytes, at) + 1; // 'N' follows
        row.read(bytes, at);
        changes.update(relation, hasBefore ? before : null, kind == 'O', row);
    }

    private void truncate() {
        int count = int4();
        at++; // CASCADE and RESTART IDENTITY: the tables of a cascade are named, and copies have no sequences
        List<LogRelation> emptied = new ArrayList<>(count);
        for (int i = 0; i < count; i++) emptied.add(named());
        changes.truncate(emptied);
    }

    private void relation() {
        int oid = int4();
        String schema = string();
        String name = string();
        char identity = (char) bytes[at++];
        int count = BigEndian.int2(bytes, at);
        at += 2;
        List<LogRelation.Column> columns = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            boolean isKey = (bytes[at++] & 1) != 0;
            columns.add(new LogRelation.Column(string(), isKey, int4(), int4()));
        }
        // The stream writes an empty name for pg_catalog.
        TableId table = new TableId(schema.isEmpty() ? "pg_catalog" : schema, name);
        LogRelation relation = new LogRelation(oid, table, identity, columns);
        relations.put(oid, relation);
        changes.relation(relation);
    }

    private LogRelation named() {
        int oid = int4();
        LogRelation relation = relations.get(oid);
        if (relation == null)
            throw new IllegalStateException("a change of relation " + oid + " before its description");
        return relation;
    }

    private int int4() {
        at += 4;
        return BigEndian.int4(bytes, at - 4);
    }

    private long int8() {
        at += 8;
        return BigEndian.int8(bytes, at - 8);
    }

    private String string() {
        int from = at;
        while (bytes[at] != 0) at++;
        at++;
        return new String(bytes, from, at - 1 - from, StandardCharsets.UTF_8);
    }
}
