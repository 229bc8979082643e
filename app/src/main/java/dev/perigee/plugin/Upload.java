package dev.perigee.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A file on disk with a request's body, or with one file of it. Closing it deletes the file.
///
/// @param fileName the client's name for it, if it was sent as a file
/// @param contentType of the file itself, in lower case and without parameters
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
