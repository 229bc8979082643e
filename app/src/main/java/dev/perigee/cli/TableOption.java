package dev.perigee.cli;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.TableChooser;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.source.Source;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--table` with what belongs to it: `--cursor`, `--key` and `--target` speak of the `--table` before them.
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
            description = "A column of it that grows with every insert and update. Default: one that can be justified.")
    private @Nullable String cursor;

    @Option(
            names = "--key",
            split = ",",
            paramLabel = "COLUMN",
            description = "The columns that identify its rows, where the source does not say.")
    private List<String> key = List.of();

    @Option(names = "--target", paramLabel = "NAME", description = "The copy's name. Default: the table's.")
    private @Nullable String target;

    /// How the table is copied; a cursor that was not named is chosen.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CURSOR_UNSUITABLE] where none can be justified
    Choice choice(Source source, String defaultSchema) {
        if (cursor != null) {
            TableConfig config = TableConfig.of(name, cursor, TableConfig.DEFAULT_INTERVAL);
            return new Choice(source.describe(name), Optional.of(with(config)), "as asked");
        }
        Choice choice = TableChooser.choose(List.of(source.describe(name)), defaultSchema)
                .getFirst();
        TableConfig config = choice.config()
                .orElseThrow(() -> Fault.CURSOR_UNSUITABLE.in(
                        "table " + name, choice.reason(), "It was not copied; --cursor and --key name columns"));
        return new Choice(choice.table(), Optional.of(with(config)), choice.reason());
    }

    private TableConfig with(TableConfig config) {
        return config.toBuilder()
                .key(key)
                .target(Optional.ofNullable(target).or(config::target))
                .build();
    }
}
