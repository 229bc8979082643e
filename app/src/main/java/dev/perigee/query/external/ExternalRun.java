package dev.perigee.query.external;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Source;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessToken;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import dev.perigee.statement.StatementCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Runs callers' statements at the external database. The rows of a single statement are passed on as they arrive.
/// Several statements are one transaction, and are answered after its commit.
public final class ExternalRun {
    private final Source source;
    private final MemoryBudget memory;
    private final long maxRows;
    private final AnswerSink answers;
    private final Function<StatementCall, RowSink> observed;
    private final Cancellation cancellation;
    private int at;

    /// @param observed makes the sink for a statement's rows, which passes them through the plugins' hooks
    public ExternalRun(
            Source source,
            MemoryBudget memory,
            long maxRows,
            AnswerSink answers,
            Function<StatementCall, RowSink> observed,
            Cancellation cancellation) {
        this.source = source;
        this.memory = memory;
        this.maxRows = maxRows;
        this.answers = answers;
        this.observed = observed;
        this.cancellation = cancellation;
    }

    public void single(StatementCall call) {
        answers.committed();
        Counted rows = new Counted(observed.apply(call), cancellation);
        List<Long> changed = run(List.of(call), false, _ -> rows).orElseThrow();
        rows.ended();
        answers.end(new Meta(rows.count, Math.max(0, changed.getFirst())));
    }

    public void transaction(List<StatementCall> calls) {
        try (MemoryBudget.Reservation reservation = memory.reserve("The answer of a transaction")) {
            List<CollectedAnswer> collected = new ArrayList<>();
            List<Counted> counted = new ArrayList<>();
            List<Long> changed;
            try {
                changed = run(calls, false, i -> {
                            CollectedAnswer rows = new CollectedAnswer(reservation);
                            collected.add(rows);
                            // The limit holds before the commit, so that nothing was written if it is exceeded.
                            counted.add(new Counted(new LimitedRows(rows, maxRows), cancellation));
                            return counted.getLast();
                        })
                        .orElseThrow();
            } catch (PerigeeException e) {
                throw e.fault().saying("Statement %d of %d: %s".formatted(at + 1, calls.size(), e.getMessage()));
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

    /// Runs a statement whose answer may come from the cache. Otherwise the answer is cached, unless the statement
    /// writes, returns no rows, or has too large an answer.
    public void cached(StatementCall call, ExternalCache cache) {
        try (MemoryBudget.Reservation reservation = memory.reserve("A cached answer")) {
            String key = cache.key(call);
            Optional<CachedAnswer> kept = cache.find(key);
            if (kept.isPresent()) {
                reservation.grow(2L * kept.get().json().length());
                replay(call, kept.get());
                return;
            }
            long readAt = cache.now();
            CachedAnswer.Builder rows = new CachedAnswer.Builder(reservation, ExternalCache.MAX_ANSWER_CHARS);
            Optional<List<Long>> changed = readOnly(call, rows);
            if (changed.isPresent()) {
                CachedAnswer answer = rows.answer();
                // A statement that returns no rows, such as SET or NOTIFY, is run for its effect.
                if (changed.get().getFirst() < 0) cache.keep(key, call, answer, readAt);
                replay(call, answer);
                return;
            }
        }
        single(call);
    }

    /// Runs the statement read-only. Empty if it writes or its answer is too large: it then has to run like any other.
    private Optional<List<Long>> readOnly(StatementCall call, CachedAnswer.Builder rows) {
        Counted counted = new Counted(rows, cancellation);
        Optional<List<Long>> changed = run(List.of(call), true, _ -> counted);
        if (changed.isEmpty() || rows.isTooLarge()) return Optional.empty();
        counted.ended();
        return changed;
    }

    private void replay(StatementCall call, CachedAnswer answer) {
        answers.committed();
        long rows = answer.replay(observed.apply(call));
        answers.end(new Meta(rows, 0));
    }

    private interface Rows {
        RowSink of(int index);
    }

    private Optional<List<Long>> run(List<StatementCall> calls, boolean isReadOnly, Rows rows) {
        cancellation.check();
        List<SqlStatement> asked = calls.stream()
                .map(call -> new SqlStatement(call.sql(), call.positional(), call.named()))
                .toList();
        try {
            return source.run(asked, isReadOnly, new SourceAnswers() {
                @Override
                public RowSink rows(int index) {
                    return rows.of(index);
                }

                @Override
                public void at(int index) {
                    at = index;
                }

                @Override
                public void running(Runnable cancel) {
                    cancellation.begin(cancel);
                }

                @Override
                public void wrote(FreshnessToken token) {
                    answers.wrote(token);
                }

                @Override
                public void ended() {
                    cancellation.end();
                }
            });
        } catch (PerigeeException e) {
            cancellation.check(); // If it was cancelled, report that, and not the error that follows from it.
            throw e;
        }
    }

    /// Counts the rows of a source's answer and passes them on. For a statement that gives no columns, [#ended] passes
    /// on an answer without columns.
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

    public static Source required(Optional<Source> source) {
        return source.orElseThrow(() ->
                Fault.SOURCE_NOT_CONFIGURED.in("external query", "there is no external database", "Nothing was run"));
    }
}
