package dev.perigee.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A request's body, or one file of it, that was written to the disk; removed when it is closed.
///
/// @param fileName the client's name for it, where it was sent as a file
/// @param contentType of the file itself, without parameters and in small letters
public record Upload(Path file, Optional<String> fileName, String contentType) implements AutoCloseable {
    @Override
    public void close() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
