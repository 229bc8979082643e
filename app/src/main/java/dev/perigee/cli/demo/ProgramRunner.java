package dev.perigee.cli.demo;

import dev.perigee.fault.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs PostgreSQL's command-line programs, one at a time.
///
/// These programs refuse to run as root. As root they are run by `unshare -U`, in a user namespace without root.
/// Outside of it the files they make still belong to root.
///
/// @param programs the folder with `bin` in it
/// @param output the file for what a program writes; it has the last program's output
/// @param isRoot whether this process runs as root
record ProgramRunner(Path programs, Path output, boolean isRoot) {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    /// @param exitCode 0 if it did what it was asked
    /// @param output what it wrote, both streams
    record Outcome(int exitCode, String output) {
        boolean isGood() {
            return exitCode == 0;
        }
    }

    static ProgramRunner in(DemoFolder folder) {
        return new ProgramRunner(
                PostgresPrograms.unpackedBelow(folder.programs()),
                folder.path().resolve("postgres-command.log"),
                ownerIsRoot(folder.path()));
    }

    Path program(String name) {
        return programs.resolve("bin").resolve(name);
    }

    /// Runs a program until it ends. One that takes longer than the limit is killed.
    Outcome run(String name, String... arguments) {
        List<String> command = new ArrayList<>();
        if (isRoot) command.addAll(List.of("unshare", "-U"));
        command.add(program(name).toString());
        command.addAll(List.of(arguments));
        // Output goes to a file, not a pipe: a server that the program starts would keep the pipe open.
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(variable -> variable.startsWith("PG"));
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw Fault.SOURCE_TIMEOUT.in(
                        name, "it did not end within " + LIMIT.toSeconds() + " s", "It was stopped");
            }
            return new Outcome(process.exitValue(), Files.readString(output).strip());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + name + " ran", e);
        } catch (IOException e) {
            String why = isRoot
                    ? "PostgreSQL refuses to run as root and `unshare -U` does not work here; run the demo as another user"
                    : "it could not be started";
            throw Fault.SOURCE_FAILED.in(program(name).toString(), why, "Nothing was started", e);
        }
    }

    private static boolean ownerIsRoot(Path ownFolder) {
        if (!ownFolder.getFileSystem().supportedFileAttributeViews().contains("unix")) return false;
        try {
            Path probe = Files.createTempFile(ownFolder, "owner-", "");
            boolean isRoot = Integer.valueOf(0).equals(Files.getAttribute(probe, "unix:uid"));
            Files.delete(probe);
            return isRoot && System.getProperty("os.name").equals("Linux");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
