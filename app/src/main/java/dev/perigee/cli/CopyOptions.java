package dev.perigee.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a table is copied: the options that `perigee tables` and `perigee sync` have in common. An option that is not
/// given is null.
final class CopyOptions {
    @Option(
            names = "--cursor",
            paramLabel = "COLUMN",
            description = "A column that grows with every insert and update.")
    @Nullable
    String cursor;

    @Option(
            names = "--mode",
            paramLabel = "WORD",
            description = "How changed rows are found: cursor, xmin or full. With a server also log.")
    @Nullable
    String mode;

    @Option(
            names = "--key",
            split = ",",
            paramLabel = "COLUMN",
            description = "Columns that identify a row, if the source does not say.")
    @Nullable
    List<String> key;

    @Option(names = "--target", paramLabel = "NAME", description = "The copy's name. Default: the table's.")
    @Nullable
    String target;

    @Option(
            names = "--row-security",
            paramLabel = "WORD",
            description =
                    "A table in which policies hide rows: refused, or filtered to copy the others. Default: refused.")
    @Nullable
    String rowSecurity;

    @Option(
            names = "--where",
            paramLabel = "CONDITION",
            description = "Copy only the rows for which this SQL condition of the source is true.")
    @Nullable
    String where;
}
