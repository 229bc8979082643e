package dev.perigee.query;

import dev.perigee.query.sql.ContextSpelling;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import dev.perigee.worker.Wire;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Knows which statements are point reads: a bounded number of lookups by key, whatever the values and however large
/// the tables. Safe for many threads.
///
/// The proof is SQLite's own bytecode for the statement ([the opcodes](https://sqlite.org/opcode.html)). It has no
/// backward jump, so each instruction runs at most once. None of the instructions calls a function, sorts, or fills a
/// table. The proof holds for the schema that the statement was compiled for.
final class PointReads {
    /// Texts that are remembered. When there are more, all are forgotten and learnt again as they come.
    private static final int MAX_TEXTS = 512;

    /// Longer texts are never point reads.
    private static final int MAX_CHARS = 2048;

    private static final int MAX_INSTRUCTIONS = 500;

    /// A statement that takes longer to compile holds up the thread that it would be compiled on.
    private static final long MAX_COMPILE_NANOS = 20_000_000;

    private static final int COMPILE_TRIES = 5;

    private static final long UNKNOWN = -1;

    /// Instructions that may jump. Their `p2` is the number of the instruction that they jump to.
    private static final Set<String> JUMPS = Set.of(
            "SeekRowid",
            "NotExists",
            "SeekGE",
            "SeekGT",
            "SeekLE",
            "SeekLT",
            "IdxGT",
            "IdxGE",
            "IdxLT",
            "IdxLE",
            "NotFound",
            "Found",
            "NoConflict",
            "IfNullRow",
            "IfNot",
            "If",
            "IsNull",
            "NotNull",
            "Eq",
            "Ne",
            "Lt",
            "Le",
            "Gt",
            "Ge",
            "MustBeInt",
            "DecrJumpZero",
            "IfPos",
            "Once");

    /// Instructions that do one bounded thing and do not jump.
    private static final Set<String> STEPS = Set.of(
            "OpenRead",
            "ReopenIdx",
            "Close",
            "Noop",
            "Explain",
            "Variable",
            "Integer",
            "Int64",
            "Real",
            "String",
            "String8",
            "Null",
            "SoftNull",
            "Column",
            "Rowid",
            "IdxRowid",
            "DeferredSeek",
            "FinishSeek",
            "NullRow",
            "RealAffinity",
            "Affinity",
            "CollSeq",
            "Copy",
            "SCopy",
            "Move",
            "And",
            "Or",
            "Not",
            "IsTrue",
            "Add",
            "Subtract",
            "Multiply",
            "Divide",
            "Remainder",
            "OffsetLimit",
            "ResultRow",
            "Transaction",
            "Halt");

    /// @param isPoint whether it is a point read; false also if its answer turned out to be too large
    private record Known(long schemaVersion, boolean isPoint) {}

    private record Instruction(String opcode, int target) {}

    private final Map<String, Known> texts = new ConcurrentHashMap<>();

    /// Whether the text was a point read under some schema. If not, [#isPoint] is false too.
    boolean mayBe(String sql) {
        Known known = texts.get(sql);
        return known != null && known.isPoint();
    }

    /// Whether `sql` is a point read under the transaction's schema, as far as is known.
    boolean isPoint(Transaction transaction, String sql) {
        Known known = texts.get(sql);
        return known != null
                && known.isPoint()
                && known.schemaVersion() == transaction.connection().schemaVersion();
    }

    /// Finds out whether a statement is a point read, and remembers it. To be called for statements that run
    /// repeatedly.
    void learn(Transaction transaction, CallerStatement statement) {
        String sql = statement.sql();
        if (sql.length() > MAX_CHARS) return;
        long version = transaction.connection().schemaVersion();
        Known known = texts.get(sql);
        if (known != null && known.schemaVersion() == version) return;
        remember(sql, new Known(version, isPoint(transaction, statement)));
    }

    /// Sends to the server what this worker process knows about a text.
    void put(Wire wire, String sql) {
        Known known = texts.get(sql);
        wire.putLong(known == null ? UNKNOWN : known.schemaVersion());
        wire.putBoolean(known != null && known.isPoint());
    }

    /// Takes over what a worker process knows about a text, as [#put] has sent it.
    void get(Wire wire, String sql) {
        long version = wire.getLong();
        boolean isPoint = wire.getBoolean();
        if (version == UNKNOWN) return;
        Known known = texts.get(sql);
        if (known == null || known.schemaVersion() != version) remember(sql, new Known(version, isPoint));
    }

    /// Remembers that the answer of this text is too large for an inline read.
    void isLarge(String sql) {
        texts.computeIfPresent(sql, (_, known) -> new Known(known.schemaVersion(), false));
    }

    private void remember(String sql, Known known) {
        if (texts.size() >= MAX_TEXTS) texts.clear();
        texts.put(sql, known);
    }

    private static boolean isPoint(Transaction transaction, CallerStatement statement) {
        // Compiling a view's text may need a lot of stack, however little its program does.
        if (statement.usesViews()) return false;
        List<Instruction> program = new ArrayList<>();
        String explain = "EXPLAIN " + ContextSpelling.rewritten(statement.sql());
        try (SqliteStatement explained = transaction.connection().prepare(explain)) {
            if (!compilesFast(transaction, explain)) return false;
            while (explained.step()) {
                if (program.size() == MAX_INSTRUCTIONS) return false;
                program.add(
                        new Instruction(Optional.ofNullable(explained.textAt(1)).orElse(""), (int) explained.intAt(3)));
            }
        } catch (SqliteException _) {
            return false; // For example, an EXPLAIN cannot be explained.
        }
        return isStraight(program);
    }

    /// One slow try may be the machine's fault: the answer holds until the schema changes.
    private static boolean compilesFast(Transaction transaction, String sql) {
        for (int tries = 0; tries < COMPILE_TRIES; tries++) {
            long begin = System.nanoTime();
            transaction.connection().prepare(sql).close();
            if (System.nanoTime() - begin <= MAX_COMPILE_NANOS) return true;
        }
        return false;
    }

    /// Whether the program has no loop. `Init` jumps to the end, where the transaction begins and constants are made;
    /// the last instruction jumps back to the one after `Init`. All other jumps have to go forward.
    private static boolean isStraight(List<Instruction> program) {
        if (program.size() < 3) return false;
        Instruction init = program.getFirst();
        Instruction last = program.getLast();
        int end = init.target();
        if (!init.opcode().equals("Init") || !last.opcode().equals("Goto") || last.target() != 1) return false;
        for (int i = 1; i < program.size() - 1; i++) {
            Instruction at = program.get(i);
            boolean isForward = at.target() > i && (i > end || at.target() < end);
            // Without a target, MustBeInt fails and does not jump.
            boolean fails = at.opcode().equals("MustBeInt") && at.target() == 0;
            boolean isBounded = JUMPS.contains(at.opcode()) || at.opcode().equals("Goto")
                    ? isForward || fails
                    : STEPS.contains(at.opcode());
            if (!isBounded) return false;
        }
        return true;
    }
}
