package dev.perigee.cli;

import dev.perigee.plugin.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `perigee version`: what to quote in a report.
@Command(
        name = "version",
        description = "Prints the versions of Perigee, of the Java it runs on, and of the system.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Exit.OK_TEXT},
        footerHeading = "%nExamples:%n",
        footer = {"  perigee version", "  perigee version --json"})
final class VersionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--json", description = "Answer with one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put(
                "perigee",
                Objects.requireNonNullElse(
                        VersionCommand.class.getPackage().getImplementationVersion(), "not from a jar"));
        versions.put("java", System.getProperty("java.runtime.version"));
        versions.put("javaVendor", System.getProperty("java.vendor"));
        versions.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        if (json) {
            spec.commandLine().getOut().println(Json.MAPPER.writeValueAsString(versions));
        } else {
            versions.forEach((name, version) -> spec.commandLine().getOut().printf("%-11s %s%n", name, version));
        }
        return Exit.OK;
    }
}
