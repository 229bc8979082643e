package dev.perigee.cli.args;

/// The exit codes of all commands. They are API: scripts check them.
public final class Exit {
    /// The command did what was asked.
    public static final int OK = 0;

    /// The command was tried and failed; standard error says why.
    public static final int FAILED = 1;

    /// The arguments or the configuration are wrong; nothing was tried.
    public static final int USAGE = 2;

    /// Copies did not become as fresh as they were asked to be.
    public static final int STALE = 4;

    /// Lines about exit codes for the help of commands.
    public static final String OK_TEXT = "0:Done.";

    public static final String USAGE_TEXT = "2:The arguments or the configuration are wrong; nothing was tried.";
    public static final String LAUNCHER_TEXT = "3:The launcher found no JDK, or could not build.";

    public static final String STALE_TEXT = "4:They did not become fresh enough in time, or nothing will make them so.";

    private Exit() {}
}
