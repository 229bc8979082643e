package dev.perigee.cli;

/// The `perigee` command.
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        throw new UnsupportedOperationException();
    }
}
