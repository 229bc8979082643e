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

/// Which statements are point reads: a bounded number of lookups by key, whatever the values and however large the
/// tables. Safe for many threads.
///
/// SQLite's own program for the statement is the proof ([the opcodes](https://sqlite.org/opcode.html)): it has no jump
/// back, so each of its instructions runs once at most, and none of them calls a function, sorts, or fills a table. It
/// holds for the schema it was made for.
final class PointReads {
    /// Texts that are remembered; when there are more all are forgotten, and learnt again as they come.
    private static final int MAX_TEXTS = 512;

    /// Longer ones are not looked at.
    private static final int MAX_CHARS = 2048;

    private static final int MAX_INSTRUCTIONS = 500;

    /// A statement that takes longer to compile holds up the thread that it would be compiled on.
    private static final long MAX_COMPILE_NANOS = 20_000_000;

    private static final int COMPILE_TRIES = 5;

    private static final long UNKNOWN = -1;

    /// Instructions whose `p2` is the next instruction's number, if they jump.
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

    /// Those that do one thing and go on.
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

    /// @param isPoint false too for one whose rows were found to be large
    private record Known(long schemaVersion, boolean isPoint) {}

    private record Instruction(String opcode, int target) {}

    private final Map<String, Known> texts = new ConcurrentHashMap<>();

    /// Whether it is worth to ask [#isPoint].
    boolean mayBe(String sql) {
        Known known = texts.get(sql);
        return known != null && known.isPoint();
    }

    /// Whether `sql` is a point read as the schema is now.
    boolean isPoint(Transaction transaction, String sql) {
        Known known = texts.get(sql);
        return known != null && known.isPoint() && known.schemaVersion() == schemaVersion(transaction);
    }

    /// Looks at a statement that runs again and again.
    void learn(Transaction transaction, CallerStatement statement) {
        String sql = statement.sql();
        if (sql.length() > MAX_CHARS) return;
        long version = schemaVersion(transaction);
        Known known = texts.get(sql);
        if (known != null && known.schemaVersion() == version) return;
        remember(sql, new Known(version, isPoint(transaction, statement)));
    }

    /// Sends what is known of a text.
    void put(Wire wire, String sql) {
        Known known = texts.get(sql);
        wire.putLong(known == null ? UNKNOWN : known.schemaVersion());
        wire.putBoolean(known != null && known.isPoint());
    }

    /// Takes over what a worker knows of a text, as [#put] has sent it.
    void get(Wire wire, String sql) {
        long version = wire.getLong();
        boolean isPoint = wire.getBoolean();
        if (version == UNKNOWN) return;
        Known known = texts.get(sql);
        if (known == null || known.schemaVersion() != version) remember(sql, new Known(version, isPoint));
    }

    /// Its answer is too large to be made in passing.
    void isLarge(String sql) {
        texts.computeIfPresent(sql, (_, known) -> new Known(known.schemaVersion(), false));
    }

    private void remember(String sql, Known known) {
        if (texts.size() >= MAX_TEXTS) texts.clear();
        texts.put(sql, known);
    }

    private static long schemaVersion(Transaction transaction) {
        SqliteStatement version = transaction.statement("PRAGMA main.schema_version");
        version.step();
        long number = version.intAt(0);
        version.reset();
        return number;
    }

    private static boolean isPoint(Transaction transaction, CallerStatement statement) {
        // However little its program does, a view's text may need much of a stack to be compiled.
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
            return false; // An EXPLAIN, for one, cannot be explained.
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

    /// `Init` jumps to the end, where the transaction begins and constants are made; the last instruction jumps to what
    /// follows `Init`. Between the two every jump goes forward.
    private static boolean isStraight(List<Instruction> program) {
        if (program.size() < 3) return false;
        Instruction init = program.getFirst();
        Instruction last = program.getLast();
        int end = init.target();
        if (!init.opcode().equals("Init") || !last.opcode().equals("Goto") || last.target() != 1) return false;
        for (int i = 1; i < program.size() - 1; i++) {
            Instruction at = program.get(i);
            boolean isForward = at.target() > i && (i > end || at.target() < end);
            // Without a target of its own it fails.
            boolean fails = at.opcode().equals("MustBeInt") && at.target() == 0;
            boolean isBounded = JUMPS.contains(at.opcode()) || at.opcode().equals("Goto")
                    ? isForward || fails
                    : STEPS.contains(at.opcode());
            if (!isBounded) return false;
        }
        return true;
    }
}
