package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.AnswerSink;
import dev.perigee.plugin.AnswerSink.Meta;
import dev.perigee.plugin.Cancellation;
import dev.perigee.plugin.StatementCall;
import dev.perigee.source.Answering;
import dev.perigee.source.Asked;
import dev.perigee.source.RowSink;
import dev.perigee.source.Source;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Callers' statements at the external database: the rows of a single one go on as they come; several are
/// all or nothing,
/// and answered when they are committed.
final class ExternalRun {
    private final Source source;
    private final MemoryBudget memory;
    private final AnswerSink answers;
    private final Function<StatementCall, RowSink> observed;
    private final Cancellation cancellation;

    /// @param observed the sink of a statement's rows, behind the plugins' hooks
    ExternalRun(
            Source source,
            MemoryBudget memory,
            AnswerSink answers,
            Function<StatementCall, RowSink> observed,
            Cancellation cancellation) {
        this.source = source;
        this.memory = memory;
        this.answers = answers;
        this.observed = observed;
        this.cancellation = cancellation;
    }

    void single(StatementCall call) {
        answers.committed();
        Counted rows = new Counted(observed.apply(call), cancellation);
        List<Long> changed = run(List.of(call), false, _ -> rows).orElseThrow();
        rows.ended();
        answers.end(new Meta(rows.count, Math.max(0, changed.getFirst())));
    }

    void transaction(List<StatementCall> calls) {
        try (MemoryBudget.Reservation reservation = memory.reserve("The answer of a transaction")) {
            List<Collected> collected = new ArrayList<>();
            List<Counted> counted = new ArrayList<>();
            List<Long> changed;
            try {
                changed = run(calls, false, i -> {
                            Collected rows = new Collected(reservation);
                            collected.add(rows);
                            counted.add(new Counted(rows, cancellation));
                            return counted.getLast();
                        })
                        .orElseThrow();
            } catch (PerigeeException e) {
                throw e.fault()
                        .saying("Statement %d of %d: %s"
                                .formatted(Math.max(1, collected.size()), calls.size(), e.getMessage()));
            }
            answers.committed();
            for (int i = 0; i < calls.size(); i++) {
                Meta meta = new Meta(counted.get(i).count, Math.max(0, changed.get(i)));
                collected.get(i).end(meta);
                collected.get(i).replay(0, observed.apply(calls.get(i)));
                answers.end(meta);
            }
        }
    }

    /// A statement whose answer may be kept: asked of the cache first, and kept unless it writes or is too
    /// large.
    void cached(StatementCall call, ExternalCache cache) {
        String key = cache.key(call);
        Optional<ExternalCache.Answer> kept = cache.find(key);
        if (kept.isEmpty()) {
            long readAt = cache.now(); // Before it is read: what changes meanwhile makes it old.
            Optional<ExternalCache.Answer> fresh = readOnly(call);
            if (fresh.isEmpty()) {
                single(call);
                return;
            }
            kept = fresh;
            cache.keep(key, call, fresh.get(), readAt);
        }
        answers.committed();
        RowSink rows = observed.apply(call);
        ExternalCache.Answer answer = kept.get();
        rows.columns(answer.columns());
        for (List<Value> row : answer.rows()) if (!rows.row(row)) break;
        answers.end(new Meta(answer.rows().size(), 0));
    }

    /// Empty for a statement that writes, or whose answer is too large to be kept.
    private Optional<ExternalCache.Answer> readOnly(StatementCall call) {
        ExternalCache.Answer.Builder rows = new ExternalCache.Answer.Builder();
        Counted counted = new Counted(rows, cancellation);
        if (run(List.of(call), true, _ -> counted).isEmpty()) return Optional.empty();
        counted.ended();
        return rows.answer();
    }

    private interface Rows {
        RowSink of(int index);
    }

    private Optional<List<Long>> run(List<StatementCall> calls, boolean isReadOnly, Rows rows) {
        cancellation.check();
        List<Asked> asked = calls.stream()
                .map(call -> new Asked(call.sql(), call.positional(), call.named()))
                .toList();
        try {
            return source.run(asked, isReadOnly, new Answering() {
                @Override
                public RowSink rows(int index) {
                    return rows.of(index);
                }

                @Override
                public void running(Runnable cancel) {
                    cancellation.begin(cancel);
                }

                @Override
                public void ended() {
                    cancellation.end();
                }
            });
        } catch (PerigeeException e) {
            cancellation.check(); // What a cancelled statement says is a consequence.
            throw e;
        }
    }

    /// Counts the rows of a source's answer as they pass by. What is not started has no columns, which is
    /// an answer too.
    private static final class Counted implements RowSink {
        private final RowSink next;
        private final Cancellation cancellation;
        private boolean hasColumns;
        private long count;

        Counted(RowSink next, Cancellation cancellation) {
            this.next = next;
            this.cancellation = cancellation;
        }

        @Override
        public void columns(List<String> names) {
            hasColumns = true;
            next.columns(names);
        }

        @Override
        public boolean row(List<Value> cells) {
            cancellation.check();
            count++;
            return next.row(cells);
        }

        void ended() {
            if (!hasColumns) next.columns(List.of());
        }
    }

    static Source required(Optional<Source> source) {
        return source.orElseThrow(() ->
                Fault.SOURCE_NOT_CONFIGURED.in("external query", "there is no external database", "Nothing was run"));
    }
}
