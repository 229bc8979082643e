package dev.perigee.cli;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.fault.Fault;
import dev.perigee.replication.TableChooser;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.source.Source;
import dev.perigee.source.SourceKey;
import dev.perigee.source.SourceTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/// `--table` and the options that belong to it: `--cursor`, `--mode`, `--key`, `--target` and `--row-security` apply to
/// the `--table` before them.
final class TableOption {
    @Option(
            names = "--table",
            required = true,
            paramLabel = "NAME",
            description = {
                "A table of the source, `table` or `schema.table`. May be repeated.",
                "It is copied in the mode that misses least, unless --cursor or --mode says otherwise.",
            })
    private String name = "";

    @ArgGroup(exclusive = false)
    private CopyOptions copy = new CopyOptions();

    /// How the table is copied. What no option says is chosen.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CURSOR_UNSUITABLE] if no cursor can be justified,
    ///     [Fault#CONFIG_INVALID] for options that exclude one another
    Choice choice(Source source, String defaultSchema) {
        Optional<Mode> asked = word("--mode", copy.mode, Mode.values());
        if (copy.cursor != null && asked.orElse(Mode.CURSOR) != Mode.CURSOR) {
            throw invalid("--cursor belongs to --mode cursor, and --mode is " + copy.mode);
        }
        SourceTable table = keyed(source.describe(name));
        if (copy.cursor != null) {
            TableConfig config = TableConfig.of(name, copy.cursor, TableConfig.DEFAULT_INTERVAL);
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

    /// The table with the key that `--key` gives, so that it does not count as a table without a key.
    private SourceTable keyed(SourceTable table) {
        if (key().isEmpty()) return table;
        return table.withKey(SourceKey.configured(key()));
    }

    private List<String> key() {
        return copy.key == null ? List.of() : copy.key;
    }

    private TableConfig with(TableConfig config) {
        return config.toBuilder()
                .key(key())
                .target(Optional.ofNullable(copy.target).or(config::target))
                .rowSecurity(word("--row-security", copy.rowSecurity, RowSecurity.values())
                        .orElse(config.rowSecurity()))
                .where(Optional.ofNullable(copy.where).or(config::where))
                .build();
    }
}
