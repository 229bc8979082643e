package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.source.LogSink;
import dev.perigee.source.LogSink.Part;
import dev.perigee.source.LogSink.Target;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Puts the stream's changes into the batches of a sink. Looks a table up in the catalog when its first change is read,
/// and then remembers how its rows are read, until the stream describes the table differently. Not safe for many
/// threads.
final class SinkChanges implements LogChanges {
    private final LogReadings lookUp;
    private final LogSink sink;
    private final Map<Integer, LogReadings.Reading> readings = new HashMap<>();

    /// The first description of each table in this stream, with which the copy's definition has been compared.
    private final Map<Integer, LogRelation> described = new HashMap<>();

    SinkChanges(LogReadings lookUp, LogSink sink) {
        this.lookUp = lookUp;
        this.sink = sink;
    }

    @Override
    public void begin(long commit, Instant committed, int transaction) {
        sink.begin(commit, committed, transaction);
    }

    @Override
    public void relation(LogRelation relation) {
        described.putIfAbsent(relation.oid(), relation);
    }

    @Override
    public void insert(LogRelation relation, LogTuple row) {
        Target target = target(relation);
        if (target != null) whole(target, reading(relation, target), row);
    }

    @Override
    public void update(LogRelation relation, @Nullable LogTuple before, boolean isWhole, LogTuple row) {
        Target target = target(relation);
        if (target == null) return;
        LogReadings.Reading reading = reading(relation, target);
        // A key so large that it is stored apart is told only as it was before, because it cannot have changed.
        if (before != null) {
            row.complete(
                    before, field -> isWhole || relation.columns().get(field).isKey());
        }
        boolean isMoved = before != null && !reading.values().isSameKey(before, row);
        if (reading.values().told(row).cardinality() < reading.values().count()) {
            part(target, reading, before == null ? row : before, row, isMoved);
            return;
        }
        if (isMoved) leaving(target, reading, before);
        whole(target, reading, row);
    }

    @Override
    public void delete(LogRelation relation, LogTuple before, boolean isWhole) {
        Target target = target(relation);
        if (target != null) leaving(target, reading(relation, target), before);
    }

    @Override
    public void truncate(List<LogRelation> relations) {
        sink.truncate(relations.stream().map(SinkChanges::number).toList());
    }

    @Override
    public void commit(long end) {
        sink.commit(end);
    }

    private @Nullable Target target(LogRelation relation) {
        return sink.target(number(relation));
    }

    private static long number(LogRelation relation) {
        return Integer.toUnsignedLong(relation.oid());
    }

    private static void whole(Target target, LogReadings.Reading reading, LogTuple row) {
        Batch batch = target.whole();
        try {
            reading.values().put(row, batch);
        } catch (RuntimeException e) {
            batch.abandonRow();
            target.refused(reading.values().refused(row, e));
            return;
        }
        target.row();
    }

    private static void leaving(Target target, LogReadings.Reading reading, @Nullable LogTuple before) {
        if (before == null) return;
        Batch batch = target.whole();
        reading.values().putWithoutRest(before, batch);
        target.leaving();
    }

    private static void part(
            Target target, LogReadings.Reading reading, LogTuple before, LogTuple row, boolean isMoved) {
        Part part = new Part(reading.values().told(row), isMoved, false);
        Batch batch = target.part(part);
        try {
            reading.values().put(row, batch);
            reading.values().putKey(before, reading.key(), batch);
        } catch (RuntimeException e) {
            batch.abandonRow();
            target.refused(reading.values().refused(row, e));
            return;
        }
        target.partial(part);
    }

    private LogReadings.Reading reading(LogRelation relation, Target target) {
        LogReadings.Reading known = readings.get(relation.oid());
        if (known != null
                && known.wanted() == target.wanted()
                && known.relation().equals(relation)) {
            return known;
        }
        if (!relation.equals(described.get(relation.oid()))) {
            target.redefined("its name, its columns, their types or its replica identity were changed");
            throw new IllegalStateException("the sink went on after a change of the definition");
        }
        LogReadings.Reading made = lookUp.of(relation, target);
        readings.put(relation.oid(), made);
        return made;
    }
}
