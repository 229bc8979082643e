package dev.perigee.cli;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.fault.Fault;
import dev.perigee.replication.TableChooser;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--table` with what belongs to it: `--cursor`, `--mode`, `--key`, `--target` and `--row-security` speak of the
/// `--table` before them.
final class TableOption {
    @Option(
            names = "--table",
            required = true,
            paramLabel = "NAME",
            description = "A table of the source, `table` or `schema.table`. May be repeated.")
    private String name = "";

    @Option(
            names = "--cursor",
            paramLabel = "COLUMN",
            description = "A column of it that grows with every insert and update. Default: see --mode.")
    private @Nullable String cursor;

    @Option(
            names = "--mode",
            paramLabel = "WORD",
            description = "How its changed rows are found: cursor, xmin or full. Default: what misses least.")
    private @Nullable String mode;

    @Option(
            names = "--key",
            split = ",",
            paramLabel = "COLUMN",
            description = "The columns that identify its rows, where the source does not say.")
    private List<String> key = List.of();

    @Option(names = "--target", paramLabel = "NAME", description = "The copy's name. Default: the table's.")
    private @Nullable String target;

    @Option(
            names = "--row-security",
            paramLabel = "WORD",
            description = "Where policies hide rows of it: refused, or filtered to copy the others. Default: refused.")
    private @Nullable String rowSecurity;

    /// How the table is copied; what was not said is chosen.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CURSOR_UNSUITABLE] where no cursor can be justified,
    ///     [Fault#CONFIG_INVALID] for options that exclude one another
    Choice choice(Source source, String defaultSchema) {
        Optional<Mode> asked = word("--mode", mode, Mode.values());
        if (cursor != null && asked.orElse(Mode.CURSOR) != Mode.CURSOR) {
            throw invalid("--cursor belongs to --mode cursor, and --mode is " + mode);
        }
        SourceTable table = keyed(source.describe(name));
        if (cursor != null) {
            TableConfig config = TableConfig.of(name, cursor, TableConfig.DEFAULT_INTERVAL);
            return new Choice(table, Optional.of(with(config)), "as asked");
        }
        if (asked.isPresent() && asked.get() != Mode.CURSOR) {
            TableConfig config = TableConfig.of(name, asked.get(), TableConfig.DEFAULT_INTERVAL);
            return new Choice(table, Optional.of(with(config)), "as asked");
        }
        Choice choice = asked.isPresent()
                ? TableChooser.cursor(table, defaultSchema)
                : TableChooser.choose(List.of(table), defaultSchema).getFirst();
        TableConfig config = choice.config()
                .orElseThrow(() -> Fault.CURSOR_UNSUITABLE.in(
                        "table " + name,
                        choice.reason(),
                        "It was not copied",
                        "name a cursor column with --cursor, or choose --mode xmin or --mode full"));
        return new Choice(table, Optional.of(with(config)), choice.reason());
    }

    private static <E extends Enum<E>> Optional<E> word(String option, @Nullable String asked, E[] choices) {
        if (asked == null) return Optional.empty();
        List<String> words = new ArrayList<>();
        for (E choice : choices) {
            words.add(choice.name().toLowerCase(Locale.ROOT));
            if (words.getLast().equals(asked)) return Optional.of(choice);
        }
        String last = words.removeLast();
        throw invalid("%s is \"%s\", expected %s or %s".formatted(option, asked, String.join(", ", words), last));
    }

    private static RuntimeException invalid(String what) {
        return Fault.CONFIG_INVALID.in(
                "the command line", what, "Nothing was copied", "correct the option; `perigee sync --help` shows all");
    }

    /// The table with the key that was named, so that it is not taken for one without.
    private SourceTable keyed(SourceTable table) {
        if (key.isEmpty()) return table;
        return new SourceTable(
                table.id(),
                table.kind(),
                table.columns(),
                key,
                "configured",
                table.indexes(),
                table.estimatedRows(),
                table.estimatedBytes(),
                table.parts(),
                table.unreadable(),
                table.isFiltered());
    }

    private TableConfig with(TableConfig config) {
        return config.toBuilder()
                .key(key)
                .target(Optional.ofNullable(target).or(config::target))
                .rowSecurity(word("--row-security", rowSecurity, RowSecurity.values())
                        .orElse(config.rowSecurity()))
                .build();
    }
}
