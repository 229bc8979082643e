package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.testing.Contract;
import dev.perigee.testing.Golden;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Every line of the HTTP contract has a test, and docs/contract.md says which.
class ContractTest {
    private static final Path CLASSES = Path.of("target", "test-classes");
    private static final Path PAGE = Path.of("..", "docs", "contract.md");
    private static final String ANNOTATION = "L" + Contract.class.getName().replace('.', '/') + ";";

    @Test
    void no_test_holds_a_line_that_is_not_in_the_contract() throws IOException {
        assertThat(lines()).containsAll(held().keySet());
    }

    @Test
    void the_page_names_the_tests_of_each_line() throws IOException {
        Map<String, List<String>> held = held();
        StringBuilder page = new StringBuilder("""
                # The HTTP contract and its tests

                What a StarbaseDB client relies on (kept), and what is different on purpose. Made from the tests by `ContractTest`: a
                line without a test stands at the end.

                | promise | held by |
                |---|---|
                """);
        List<String> open = new ArrayList<>();
        for (String line : lines()) {
            List<String> tests = held.getOrDefault(line, List.of());
            if (tests.isEmpty()) open.add(line);
            else page.append("| %s | %s |\n".formatted(line.replace("|", "\\|"), String.join("<br>", tests)));
        }
        if (!open.isEmpty()) page.append("\n## Not built yet, or without a test\n");
        for (String line : open) page.append("- ").append(line).append('\n');
        Golden.assertMatches(PAGE, page.toString());
    }

    private static List<String> lines() throws IOException {
        try (InputStream in = Contract.class.getResourceAsStream("contract.txt")) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().filter(line -> !line.startsWith("#")).toList();
        }
    }

    /// The tests of each line, as `Class: what it claims`, sorted.
    private static Map<String, List<String>> held() throws IOException {
        Map<String, List<String>> held = new TreeMap<>();
        try (Stream<Path> files = Files.walk(CLASSES)) {
            for (Path file : files.filter(f -> f.toString().endsWith("Test.class"))
                    .sorted()
                    .toList()) {
                ClassModel model = ClassFile.of().parse(file);
                String name = model.thisClass().asInternalName().replaceFirst(".*/", "");
                for (MethodModel method : model.methods()) {
                    for (String line : claims(method)) {
                        held.computeIfAbsent(line, _ -> new ArrayList<>())
                                .add("`%s` %s"
                                        .formatted(
                                                name,
                                                method.methodName()
                                                        .stringValue()
                                                        .replace('_', ' ')));
                    }
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return held;
    }

    private static List<String> claims(MethodModel method) {
        List<String> claims = new ArrayList<>();
        method.findAttribute(Attributes.runtimeVisibleAnnotations()).ifPresent(all -> {
            for (Annotation annotation : all.annotations()) {
                if (!annotation.className().stringValue().equals(ANNOTATION)) continue;
                for (AnnotationValue value : ((AnnotationValue.OfArray)
                                annotation.elements().getFirst().value())
                        .values()) {
                    claims.add(((AnnotationValue.OfString) value).stringValue());
                }
            }
        });
        return claims;
    }
}
