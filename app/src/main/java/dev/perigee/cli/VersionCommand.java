package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqliteLibrary;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `perigee version`: what to quote in a bug report.
@Command(
        name = "version",
        description = "Prints the versions of Perigee, of its Java, of its SQLite library, and of the system.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Exit.OK_TEXT},
        footerHeading = "%nExamples:%n",
        footer = {"  perigee version", "  perigee version --json"})
final class VersionCommand implements Callable<Integer>, IVersionProvider {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--json", description = "Answer with one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (json) out.println(Json.MAPPER.writeValueAsString(versions()));
        else for (String line : getVersion()) out.println(line);
        return Exit.OK;
    }

    /// The lines for people; `perigee --version` prints the same.
    @Override
    public String[] getVersion() {
        return versions().entrySet().stream()
                .map(version -> "%-11s %s".formatted(version.getKey(), version.getValue()))
                .toArray(String[]::new);
    }

    private static Map<String, String> versions() {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put(
                "perigee",
                Objects.requireNonNullElse(
                        VersionCommand.class.getPackage().getImplementationVersion(), "not from a jar"));
        versions.put("java", System.getProperty("java.runtime.version"));
        versions.put("javaVendor", System.getProperty("java.vendor"));
        versions.put("sqlite", sqlite());
        versions.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        return versions;
    }

    /// The library's version and origin, or why there is none: the report should show that, too.
    private static String sqlite() {
        try {
            return "%s (%s)".formatted(SqliteLibrary.version(), SqliteLibrary.origin());
        } catch (PerigeeException e) {
            return e.getMessage();
        }
    }
}
