package dev.perigee.cli.demo;

import java.io.PrintWriter;
import java.util.List;

/// Where the demo writes. On a terminal a block of lines is redrawn in place; a file or a pipe gets a line now and
/// then.
final class Screen {
    private static final String CUT = "\u001b[?7l";
    private static final String WRAP = "\u001b[?7h";
    private static final String UP_AND_CLEAR = "\033[%dA\033[J";

    private final PrintWriter out;
    private final boolean isTerminal;
    private int drawn;

    Screen(PrintWriter out, boolean isTerminal) {
        this.out = out;
        this.isTerminal = isTerminal;
    }

    /// Whether standard output is a terminal that can move the cursor.
    static boolean isTerminal() {
        String kind = System.getenv("TERM");
        return System.console() != null && System.console().isTerminal() && kind != null && !kind.equals("dumb");
    }

    boolean redraws() {
        return isTerminal;
    }

    /// Prints a line that stays.
    void say(String line) {
        drawn = 0;
        out.println(line);
        out.flush();
    }

    /// Draws `lines` over the last block, if no line was printed since.
    void draw(List<String> lines) {
        if (drawn > 0) out.printf(UP_AND_CLEAR, drawn);
        out.print(CUT); // a line that wrapped would take two lines, and the cursor would not go up far enough
        lines.forEach(out::println);
        out.print(WRAP);
        drawn = lines.size();
        out.flush();
    }
}
