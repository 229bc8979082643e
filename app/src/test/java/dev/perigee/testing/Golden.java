package dev.perigee.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Text that people read, kept in files of `src/test/resources/golden`: a change of it is seen in review.
public final class Golden {
    private static final Path FOLDER = Path.of("src", "test", "resources", "golden");

    private Golden() {}

    /// With `-Dgolden.write=true` the file is written instead, to be looked at before it is committed.
    public static void assertMatches(String name, String actual) throws IOException {
        assertMatches(FOLDER.resolve(name), actual);
    }

    /// The same for a file that is elsewhere, such as a page of the documentation.
    public static void assertMatches(Path file, String actual) throws IOException {
        String text = actual.strip() + "\n";
        if (Boolean.getBoolean("golden.write")) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        }
        assertThat(file).as("write it with -Dgolden.write=true").exists();
        assertThat(text).isEqualTo(Files.readString(file));
    }
}
