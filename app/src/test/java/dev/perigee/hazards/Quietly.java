package dev.perigee.hazards;

/// Runs what may throw where nothing may be thrown.
final class Quietly {
    interface Action {
        Object run() throws Exception;
    }

    private Quietly() {}

    static void run(Action action) {
        try {
            action.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
