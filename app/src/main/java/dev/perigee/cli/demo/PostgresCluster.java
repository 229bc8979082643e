package dev.perigee.cli.demo;

import dev.perigee.fault.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/// PostgreSQL's data directory and the server on it, driven by PostgreSQL's own programs.
///
/// `pg_ctl` gives the server its own session of the operating system (`setsid`). So Ctrl-C in the terminal stops only
/// `perigee demo`, and the server still runs for the demo's final sync. After a kill of the demo, its next start stops
/// a server that still runs, and removes a stale lock file.
///
/// @param runner runs the programs
/// @param data the data directory
/// @param log the server's log file
record PostgresCluster(ProgramRunner runner, Path data, Path log) {
    private static final String START_SECONDS = "60";
    private static final String STOP_SECONDS = "30";
    private static final String LOCK_FILE = "postmaster.pid";
    private static final int MOST_LOG_LINES = 12;

    static PostgresCluster in(DemoFolder folder) {
        return new PostgresCluster(ProgramRunner.in(folder), folder.cluster(), folder.serverLog());
    }

    boolean exists() {
        return Files.exists(data);
    }

    /// Creates the data directory, in a side folder that is then renamed. So a run that is killed meanwhile leaves no
    /// incomplete cluster behind.
    void make(String user, Path passwordFile) {
        try {
            Path side = Files.createTempDirectory(data.toAbsolutePath().getParent(), "postgres-new-");
            succeed(
                    runner.run(
                            "initdb",
                            "-D",
                            side.toString(),
                            "-U",
                            user,
                            "--auth=scram-sha-256",
                            "--pwfile=" + passwordFile,
                            "--encoding=UTF8",
                            "--no-locale"),
                    "creating its data directory");
            Files.move(side, data, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Starts the server. Returns once it accepts connections at `port` of the loopback address.
    void start(int port) {
        try {
            Files.deleteIfExists(log); // one run's log, so that it cannot grow without end
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // Commits wait for the disk, as they do by default: a copy must not get ahead of a source that crashes.
        String settings = String.join(
                " ",
                "-c fsync=on",
                "-p " + port,
                "-c listen_addresses=127.0.0.1",
                "-c unix_socket_directories=",
                "-c wal_level=logical",
                "-c shared_buffers=64MB",
                "-c max_wal_size=256MB",
                "-c max_connections=40",
                "-c timezone=UTC");
        ProgramRunner.Outcome outcome = pgCtl("start", "-w", "-t", START_SECONDS, "-l", log.toString(), "-o", settings);
        if (outcome.isGood()) return;
        throw Fault.SOURCE_FAILED.in(
                "the demo's PostgreSQL",
                "it did not start: " + outcome.output() + " " + lastWords(),
                "Its data is in " + data,
                "repair what it says, or remove the demo's folder and run the demo again");
    }

    /// Ends every connection and the server; without a checkpoint if it does not end in time.
    void stop() {
        ProgramRunner.Outcome outcome = pgCtl("stop", "-w", "-t", STOP_SECONDS, "-m", "fast");
        if (outcome.isGood() || runningProcess().isEmpty()) return;
        succeed(pgCtl("stop", "-w", "-t", STOP_SECONDS, "-m", "immediate"), "stopping it");
    }

    /// Stops a server that a killed run left behind. The demo's folder is locked by us, so it has no other owner.
    void endWhatWasLeft() {
        Optional<ProcessHandle> left = runningProcess();
        if (left.isEmpty()) return; // PostgreSQL itself sees that the process in its lock file is gone
        Optional<String> command = left.get().info().command();
        if (command.isEmpty()) {
            throw Fault.REPLICA_LOCKED.in(
                    data.toString(),
                    "process %d may be a PostgreSQL on this data"
                            .formatted(left.get().pid()),
                    "Nothing was started");
        }
        if (Path.of(command.get()).startsWith(runner.programs().toAbsolutePath().getParent())) {
            stop();
            return;
        }
        try {
            // Another program has the process id of our dead server, and PostgreSQL would take it for a live one.
            Files.deleteIfExists(data.resolve(LOCK_FILE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The process that the lock file names, if it is alive.
    Optional<ProcessHandle> runningProcess() {
        try {
            List<String> lines = Files.readAllLines(data.resolve(LOCK_FILE));
            if (lines.isEmpty()) return Optional.empty();
            return ProcessHandle.of(Long.parseLong(lines.getFirst().strip())).filter(ProcessHandle::isAlive);
        } catch (IOException | NumberFormatException _) {
            return Optional.empty(); // no lock file, or one that says nothing
        }
    }

    private ProgramRunner.Outcome pgCtl(String action, String... options) {
        String[] arguments = new String[options.length + 3];
        arguments[0] = action;
        arguments[1] = "-D";
        arguments[2] = data.toString();
        System.arraycopy(options, 0, arguments, 3, options.length);
        return runner.run("pg_ctl", arguments);
    }

    private static void succeed(ProgramRunner.Outcome outcome, String what) {
        if (outcome.isGood()) return;
        throw Fault.SOURCE_FAILED.in(
                "the demo's PostgreSQL",
                what + " failed: " + outcome.output(),
                "Nothing was started",
                "repair what it says, or remove the demo's folder and run the demo again");
    }

    private String lastWords() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join(" | ", lines.subList(Math.max(0, lines.size() - MOST_LOG_LINES), lines.size()));
        } catch (IOException _) {
            return "";
        }
    }
}
