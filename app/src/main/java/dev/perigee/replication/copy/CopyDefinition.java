package dev.perigee.replication.copy;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Expression;
import dev.perigee.source.LogTable;
import dev.perigee.source.Mask;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How a copy is made from a table of the source. The definition is stored with the copy, so that a later sync can
/// compare it with the source's current catalog ([dev.perigee.replication.drift.Drift]).
///
/// @param source the table in the source, as its catalog spells it
/// @param target the copy's name
/// @param columns the copied columns, in the source's order
/// @param key columns that identify a row, all of them copied; empty for a copy without a key
/// @param cursorColumn its values order the rows; it need not be copied; empty where the mode needs no cursor
/// @param choices the other settings that an admin chose, with columns named as the settings name them
/// @param known which columns those names refer to, and the columns that the copy keeps although the source dropped
///     them
/// @param parts the entries of [SourceTable#parts] for the copied columns, the cursor column and [SourceTable#ALL_ROWS]
public record CopyDefinition(
        TableId source,
        String target,
        List<CopyColumn> columns,
        List<String> key,
        Optional<String> cursorColumn,
        Choices choices,
        Known known,
        Map<Integer, Map<String, String>> parts) {

    /// @param identity [SourceColumn#identity]: stays when the column is renamed
    /// @param declaredType the type in the copy; empty for none
    /// @param note what a user should know about how the values are stored
    public record CopyColumn(
            String name, int identity, String sourceType, String declaredType, boolean notNull, Optional<String> note) {

        public CopyColumn withName(String name) {
            return new CopyColumn(name, identity, sourceType, declaredType, notNull, note);
        }

        public CopyColumn withIdentity(int identity) {
            return new CopyColumn(name, identity, sourceType, declaredType, notNull, note);
        }

        public CopyColumn withNotNull(boolean notNull) {
            return new CopyColumn(name, identity, sourceType, declaredType, notNull, note);
        }
    }

    /// Settings that decide how the copy is made. A change of any of them means that all rows are fetched again, except
    /// a change of `rowSecurity` from `refused` to `filtered`, and some changes of `where`.
    ///
    /// @param softColumn the column that marks deleted rows, see [SoftDeletes]; null for none
    /// @param rowSecurity with `filtered`, the source may have hidden rows from its user, and these were never fetched
    /// @param slice the rows that are copied; null for all
    /// @param masks by a column's name: what is copied in place of its values
    public record Choices(
            List<String> key,
            List<String> columns,
            List<String> exclude,
            NumericStorage numeric,
            TimestampStorage timestamps,
            @Nullable String softColumn,
            RowSecurity rowSecurity,
            @Nullable Expression slice,
            Map<String, Mask> masks) {

        @SuppressWarnings("NullAway") // definitions written by earlier builds are without these
        public Choices {
            rowSecurity = rowSecurity == null ? RowSecurity.REFUSED : rowSecurity;
            masks = masks == null ? Map.of() : Map.copyOf(masks);
        }

        private List<String> marks() {
            return softColumn == null ? List.of() : List.of(softColumn);
        }

        /// Settings without a column that marks deleted rows, without filtering by the source, and for all rows.
        public Choices(
                List<String> key,
                List<String> columns,
                List<String> exclude,
                NumericStorage numeric,
                TimestampStorage timestamps) {
            this(key, columns, exclude, numeric, timestamps, null, RowSecurity.REFUSED, null, Map.of());
        }
    }

    /// What the column names in the settings refer to.
    ///
    /// @param names the identity of each column that the settings name, by the name used there
    /// @param renamed the current name at the source of each column that was renamed, by the name used in the settings
    /// @param cursor the identity of the cursor column
    /// @param kept columns of the copy that the source has dropped
    public record Known(
            Map<String, Integer> names, Map<String, String> renamed, Optional<Integer> cursor, List<CopyColumn> kept) {
        static final Known NOTHING = new Known(Map.of(), Map.of(), Optional.empty(), List.of());

        public Known {
            names = Map.copyOf(names);
            renamed = Map.copyOf(renamed);
            kept = List.copyOf(kept);
        }

        public Known keeping(List<CopyColumn> columns) {
            return new Known(names, renamed, cursor, columns);
        }
    }

    private static final List<String> ROWID_NAMES = List.of("rowid", "_rowid_", "oid");
    private static final Set<String> RESERVED_PREFIXES = Set.of("sqlite_", "tmp_");

    @SuppressWarnings("NullAway") // definitions written by earlier builds are without `known` or `parts`
    public CopyDefinition {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
        known = known == null ? Known.NOTHING : known;
        parts = parts == null ? Map.of() : Map.copyOf(parts);
    }

    /// A definition whose settings use the source's own column names, with nothing renamed or kept.
    public CopyDefinition(
            TableId source,
            String target,
            List<CopyColumn> columns,
            List<String> key,
            Optional<String> cursorColumn,
            Choices choices) {
        this(source, target, columns, key, cursorColumn, choices, Known.NOTHING, Map.of());
    }

    /// The definition that `config` asks for, checked against the table as the source describes it now.
    ///
    /// @throws PerigeeException [Fault#SOURCE_COLUMN_MISSING], [Fault#SOURCE_PERMISSION], [Fault#KEY_MISSING],
    ///     [Fault#CURSOR_UNSUITABLE], or [Fault#INVALID_REQUEST] for settings that contradict each other and for names
    ///     that SQLite cannot hold
    public static CopyDefinition of(TableConfig config, SourceTable table) {
        String where = "table " + config.name();
        Set<String> wanted = new HashSet<>(config.columns());
        Set<String> unwanted = new HashSet<>(config.exclude());
        for (String name : config.columns()) require(table, name, "columns", where);
        for (String name : config.exclude()) {
            if (!table.access().isUnreadable(name)) require(table, name, "exclude", where);
        }
        List<CopyColumn> columns = table.columns().stream()
                .filter(c -> (wanted.isEmpty() || wanted.contains(c.name())) && !unwanted.contains(c.name()))
                .map(c -> new CopyColumn(
                        c.name(),
                        c.identity(),
                        c.sourceType(),
                        c.declaredType(config.numeric(), config.timestamps()),
                        c.isNotNull(),
                        c.note()))
                .toList();
        if (columns.isEmpty()) {
            throw Fault.INVALID_REQUEST.in(
                    where,
                    table.columns().isEmpty()
                            ? "%s has no columns that the source's user may read".formatted(table.id())
                            : "`exclude` leaves no column to copy",
                    "Nothing was changed",
                    "grant the right to read its columns, or leave the table out; a SQLite table needs at least one column");
        }
        refuseNamesThatDifferByCase(columns, where);
        checkMode(config, table, where);
        SoftDeletes.check(config, table, columns, where);
        config.cursorColumn().ifPresent(column -> checkCursor(config, column, table, where));
        return new CopyDefinition(
                table.id(),
                target(config, table, where),
                columns,
                KeyColumns.of(config, table, columns, where),
                config.cursorColumn(),
                new Choices(
                        config.key(),
                        config.columns(),
                        config.exclude(),
                        config.numeric(),
                        config.timestamps(),
                        SoftDeletes.column(config),
                        config.rowSecurity(),
                        table.access().slice().orElse(null),
                        table.access().masks()),
                Known.NOTHING,
                parts(config, table, columns));
    }

    private static Map<Integer, Map<String, String>> parts(
            TableConfig config, SourceTable table, List<CopyColumn> columns) {
        Map<Integer, Map<String, String>> parts = new HashMap<>(table.parts());
        Set<Integer> used = new HashSet<>();
        columns.forEach(column -> used.add(column.identity()));
        config.cursorColumn().flatMap(table::column).ifPresent(column -> used.add(column.identity()));
        expressions(table).forEach(one -> one.columns().forEach(column -> used.add(column.identity())));
        used.add(SourceTable.ALL_ROWS);
        parts.keySet().retainAll(used);
        return parts;
    }

    private static List<Expression> expressions(SourceTable table) {
        List<Expression> expressions = new ArrayList<>();
        table.access().slice().ifPresent(expressions::add);
        table.access().masks().values().forEach(mask -> expressions.add(mask.expression()));
        return expressions;
    }

    /// The same definition with the [#parts()] of `now`. For use where names inside types were added and no existing
    /// name changed.
    public CopyDefinition withPartsOf(CopyDefinition now) {
        return new CopyDefinition(source, target, columns, key, cursorColumn, choices, known, now.parts);
    }

    /// The same definition with `others` as its columns, of a copy that keeps the columns `kept`.
    public CopyDefinition withColumns(List<CopyColumn> others, List<CopyColumn> kept) {
        return new CopyDefinition(source, target, others, key, cursorColumn, choices, known.keeping(kept), parts);
    }

    /// The same definition with the choices of `config`, whose column names refer to the columns in `known`.
    public CopyDefinition chosenBy(TableConfig config, Known known) {
        Choices chosen = new Choices(
                config.key(),
                config.columns(),
                config.exclude(),
                config.numeric(),
                config.timestamps(),
                SoftDeletes.column(config),
                config.rowSecurity(),
                choices.slice,
                choices.masks);
        return new CopyDefinition(source, target, columns, key, cursorColumn, chosen, known, parts);
    }

    /// The same definition for the rows of another slice.
    public CopyDefinition slicedAs(CopyDefinition other) {
        Choices chosen = new Choices(
                choices.key,
                choices.columns,
                choices.exclude,
                choices.numeric,
                choices.timestamps,
                choices.softColumn,
                choices.rowSecurity,
                other.choices.slice,
                choices.masks);
        return new CopyDefinition(source, target, columns, key, cursorColumn, chosen, known, parts);
    }

    /// What the copy wants of its table's changes.
    ///
    /// @param number the table's number at the source; 0 where it is not known
    public LogTable wanted(long number, TableConfig config) {
        List<LogTable.Column> wanted = columns.stream()
                .map(c -> new LogTable.Column(c.name(), c.identity(), c.sourceType()))
                .toList();
        return new LogTable(source, number, wanted, key, config.numeric(), config.timestamps());
    }

    /// The rows that are copied; empty for all.
    public Optional<Expression> slice() {
        return Optional.ofNullable(choices.slice);
    }

    /// Whether changed settings ask for other rows than those of this copy.
    public boolean isSlicedDifferently(CopyDefinition now) {
        return !Objects.equals(choices.slice, now.choices.slice);
    }

    /// A name of the rowid that is not hidden by a column of the same name; empty where columns have taken all three
    /// names.
    public Optional<String> rowid() {
        List<String> taken = new ArrayList<>(columnNames());
        known.kept().forEach(kept -> taken.add(kept.name()));
        return ROWID_NAMES.stream()
                .filter(name -> taken.stream().noneMatch(name::equalsIgnoreCase))
                .findFirst();
    }

    public List<String> columnNames() {
        return columns.stream().map(CopyColumn::name).toList();
    }

    /// The key columns that the copy stores as the source's text. In these, two different texts are two different keys
    /// of the copy, even where the source takes them for equal.
    public Set<String> spelledKey() {
        Set<String> spelled = new HashSet<>();
        for (CopyColumn column : columns) {
            if (key.contains(column.name()) && column.declaredType().equals("TEXT")) spelled.add(column.name());
        }
        return spelled;
    }

    /// Whether changed settings ask for another copy than this one, regardless of what the source changed.
    public boolean isChosenDifferently(CopyDefinition now) {
        return !target.equals(now.target)
                || cursorColumn.isPresent() != now.cursorColumn.isPresent()
                || (known.cursor.isPresent()
                        ? !known.cursor.equals(now.known.cursor)
                        : !cursorColumn.equals(now.cursorColumn))
                || choices.numeric != now.choices.numeric
                || choices.timestamps != now.choices.timestamps
                || !choices.masks.equals(now.choices.masks)
                // Rows that `filtered` hid may lie below the cursor, where no sync would fetch them. In the other
                // direction the rows of the copy may stay.
                || (choices.rowSecurity == RowSecurity.FILTERED && now.choices.rowSecurity == RowSecurity.REFUSED)
                || !isSame(now, choices.key, now.choices.key)
                || !isSame(now, choices.columns, now.choices.columns)
                || !isSame(now, choices.exclude, now.choices.exclude)
                || !isSame(now, choices.marks(), now.choices.marks());
    }

    /// Definitions written by builds that did not have `known` contain names only, so the names are compared.
    private boolean isSame(CopyDefinition now, List<String> before, List<String> after) {
        return known.names.isEmpty() ? before.equals(after) : meant(before).equals(now.meant(after));
    }

    /// The columns that names in the settings refer to. Two names of the same column are the same choice.
    private List<Object> meant(List<String> names) {
        return names.stream().map(this::meant).toList();
    }

    private Object meant(String name) {
        Integer identity = known.names.get(name);
        if (identity != null) return identity;
        return columns.stream()
                .filter(c -> c.name().equals(name))
                .<Object>map(CopyColumn::identity)
                .findFirst()
                .orElse(name);
    }

    static SourceColumn require(SourceTable table, String column, String field, String where) {
        if (table.access().isUnreadable(column)) throw table.unreadable(where, column);
        return table.column(column)
                .orElseThrow(() -> Fault.SOURCE_COLUMN_MISSING.in(
                        where,
                        "`%s` names the column \"%s\", which %s does not have".formatted(field, column, table.id()),
                        "Nothing was changed"));
    }

    private static void checkMode(TableConfig config, SourceTable table, String where) {
        boolean hasTransactions =
                table.kind() != SourceTable.Kind.VIEW && table.kind() != SourceTable.Kind.FOREIGN_TABLE;
        if ((config.mode() != Mode.XMIN && config.mode() != Mode.LOG) || hasTransactions) return;
        throw Fault.INVALID_REQUEST.in(
                where,
                config.mode() == Mode.LOG
                        ? "`mode` is `log`, and the source's log has no changes of a view or a foreign table"
                        : "`mode` is `xmin`, and rows of a view or a foreign table do not tell which transaction wrote them",
                "Nothing was changed",
                "choose `mode` `full`, or name a cursor column");
    }

    private static void checkCursor(TableConfig config, String column, SourceTable table, String where) {
        SourceColumn cursor = require(table, column, "cursorColumn", where);
        KeyColumns.refuseMasked(table, column, "cursorColumn", where);
        if (!cursor.isOrdered()) {
            throw Fault.CURSOR_UNSUITABLE.in(
                    where,
                    "`cursorColumn` names \"%s\" of type %s, whose values have no order"
                            .formatted(cursor.name(), cursor.sourceType()),
                    "Nothing was changed",
                    "name a column of numbers, times or texts that grows with every insert and update, or choose `mode` `xmin`, `full` or `log`");
        }
        if (config.nullCursor() == NullCursor.REJECT && !cursor.isNotNull()) {
            throw Fault.CURSOR_UNSUITABLE.in(
                    where,
                    "`nullCursor` is `reject` and the source lets \"%s\" be NULL".formatted(cursor.name()),
                    "Nothing was changed",
                    "set `nullCursor` to `include`, or make the column NOT NULL at the source");
        }
    }

    private static String target(TableConfig config, SourceTable table, String where) {
        String target = config.target().orElse(table.id().name());
        for (String prefix : RESERVED_PREFIXES) {
            if (target.toLowerCase(Locale.ROOT).startsWith(prefix)) {
                throw Fault.INVALID_REQUEST.in(
                        where,
                        "the copy would be called \"%s\", and names that begin with `%s` are reserved"
                                .formatted(target, prefix),
                        "Nothing was changed",
                        "choose another name for the copy with `target`");
            }
        }
        return target;
    }

    /// SQLite ignores the case of ASCII letters in column names; the source may not.
    private static void refuseNamesThatDifferByCase(List<CopyColumn> columns, String where) {
        Map<String, String> seen = new HashMap<>();
        for (CopyColumn column : columns) {
            String other = seen.put(column.name().toLowerCase(Locale.ROOT), column.name());
            if (other != null) {
                throw Fault.INVALID_REQUEST.in(
                        where,
                        "the columns \"%s\" and \"%s\" differ only by case, which SQLite does not tell apart"
                                .formatted(other, column.name()),
                        "Nothing was changed",
                        "name one of them in `exclude`");
            }
        }
    }
}
