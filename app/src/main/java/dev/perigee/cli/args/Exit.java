package dev.perigee.cli.args;

/// The exit codes of all commands. They are API: scripts ask for them.
public final class Exit {
    /// What was asked for is done.
    public static final int OK = 0;

    /// It was tried and failed; standard error says why.
    public static final int FAILED = 1;

    /// The arguments or the configuration are wrong; nothing was tried.
    public static final int USAGE = 2;

    /// For the help of commands that have nothing to add.
    public static final String OK_TEXT = "0:Done.";

    static final String FAILED_TEXT = "1:It failed; standard error says why.";
    public static final String USAGE_TEXT = "2:The arguments or the configuration are wrong; nothing was tried.";
    public static final String LAUNCHER_TEXT = "3:The launcher found no JDK, or could not build.";

    private Exit() {}
}
