package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.ImportOrderer;
import com.palantir.javaformat.java.JavaFormatterOptions;
import com.palantir.javaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every Java file is as palantir-java-format writes it, and its comments as [CommentFlow] fills them.
/// `mvn test -Dtest=FormatTest -Dformat.write=true` writes them.
///
/// A test and not a build plugin, because the formatter reads with the running JDK's own parser: tests run on JDK 25
/// while Maven itself may run on an older one.
class FormatTest {
    private static final int MAX_COLUMNS = 120;
    private static final int NARROW_COLUMNS = 80;
    private static final boolean WRITE = Boolean.getBoolean("format.write");
    private static final Formatter FORMATTER = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());

    @TestFactory
    Stream<DynamicTest> every_file_is_formatted() {
        return Stream.of(
                        Path.of("src", "main", "java"),
                        Path.of("src", "test", "java"),
                        Path.of("..", "bench", "src", "main", "java"))
                .filter(Files::isDirectory)
                .flatMap(FormatTest::javaFiles)
                .map(file -> DynamicTest.dynamicTest(file.toString(), () -> check(file)));
    }

    private static void check(Path file) throws IOException, FormatterException {
        String text = Files.readString(file);
        // The formatter breaks a long `///` line into one that is no comment any more: it is given short ones.
        String formatted = CommentFlow.fill(
                FORMATTER.formatSource(ImportOrderer.reorderImports(
                        RemoveUnusedImports.removeUnusedImports(CommentFlow.fill(text, NARROW_COLUMNS)),
                        JavaFormatterOptions.Style.PALANTIR)),
                MAX_COLUMNS);
        if (WRITE && !text.equals(formatted)) Files.writeString(file, formatted);
        assertThat(Files.readString(file)).as("formatted text of %s", file).isEqualTo(formatted);
    }

    private static Stream<Path> javaFiles(Path root) {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(".java")).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
