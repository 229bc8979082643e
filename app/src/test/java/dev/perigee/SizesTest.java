package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.LineNumberInfo;
import java.lang.classfile.attribute.LineNumberTableAttribute;
import java.lang.constant.ClassDesc;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// How large a class, a method, and a list of parameters may be. What is larger is two ideas, or needs a record for
/// what belongs together. Exceptions are named here, each with its reason.
class SizesTest {
    private static final int MAX_CLASS_LINES = 450;
    private static final int MAX_METHOD_LINES = 60;
    private static final int MAX_PARAMETERS = 6;

    /// A record says the name of each component where it is read, so it may have a few more than a constructor.
    private static final int MAX_COMPONENTS = 10;

    /// Source files over [#MAX_CLASS_LINES].
    private static final Map<String, String> LONG_CLASSES = Map.of(
            "SqliteStatement",
            "SQLite's prepared statement has one handle for its parameters and its row: two objects per statement"
                    + " would be slower, and no easier to read");

    /// Records over [#MAX_COMPONENTS].
    private static final Map<String, String> LONG_RECORDS = Map.of();

    private static final Path CLASSES = Path.of("target", "classes");
    private static final Path SOURCES = Path.of("src", "main", "java");

    @Test
    void a_source_file_is_at_most_450_lines_long() throws IOException {
        Map<String, Long> tooLong = new TreeMap<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                String name = String.valueOf(file.getFileName()).replace(".java", "");
                long lines = Files.readString(file).lines().count();
                if (lines > MAX_CLASS_LINES) tooLong.put(name, lines);
            }
        }
        assertThat(tooLong.keySet()).isEqualTo(LONG_CLASSES.keySet());
    }

    @Test
    void a_method_is_at_most_60_lines_long() {
        List<String> tooLong = new ArrayList<>();
        for (ClassModel model : classes()) {
            for (MethodModel method : model.methods()) {
                // Constructors have the lines of the fields' initializers too, wherever those stand.
                boolean isInitializer = method.methodName().stringValue().startsWith("<");
                int lines = lines(method);
                if (lines > MAX_METHOD_LINES && !isInitializer) {
                    tooLong.add("%s.%s: %d lines".formatted(name(model), method.methodName(), lines));
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void a_constructor_has_at_most_six_parameters() {
        List<String> tooMany = new ArrayList<>();
        for (ClassModel model : classes()) {
            for (MethodModel method : model.methods()) {
                if (!method.methodName().equalsString("<init>")) continue;
                int count = method.methodTypeSymbol().parameterCount() - hidden(model, method);
                if (count > MAX_PARAMETERS && !isCanonical(model, method)) {
                    tooMany.add("%s: %d parameters".formatted(name(model), count));
                }
            }
        }
        assertThat(tooMany).isEmpty();
    }

    @Test
    void a_record_has_at_most_ten_components() {
        Map<String, Integer> tooMany = new TreeMap<>();
        for (ClassModel model : classes()) {
            model.findAttribute(Attributes.record()).ifPresent(components -> {
                int count = components.components().size();
                if (count > MAX_COMPONENTS) tooMany.put(name(model), count);
            });
        }
        assertThat(tooMany.keySet()).isEqualTo(LONG_RECORDS.keySet());
    }

    /// From the first line with code to the last, which is what a reader has to see at once.
    private static int lines(MethodModel method) {
        int first = Integer.MAX_VALUE;
        int last = Integer.MIN_VALUE;
        for (LineNumberInfo line : method.code()
                .flatMap(code -> code.findAttribute(Attributes.lineNumberTable()))
                .map(LineNumberTableAttribute::lineNumbers)
                .orElse(List.of())) {
            first = Math.min(first, line.lineNumber());
            last = Math.max(last, line.lineNumber());
        }
        return first > last ? 0 : last - first + 1;
    }

    private static boolean isCanonical(ClassModel model, MethodModel method) {
        return model.findAttribute(Attributes.record())
                .map(record -> record.components().stream()
                        .map(component -> component.descriptorSymbol())
                        .toList()
                        .equals(method.methodTypeSymbol().parameterList()))
                .orElse(false);
    }

    /// Parameters that the compiler adds: an enum's name and ordinal, an inner class's outer object and what it uses of
    /// the method around it.
    private static int hidden(ClassModel model, MethodModel method) {
        if (model.flags().has(AccessFlag.ENUM)) return 2;
        String name = name(model);
        String simple = name.substring(name.lastIndexOf('$') + 1);
        if (!simple.isEmpty() && Character.isDigit(simple.charAt(0))) {
            return method.methodTypeSymbol().parameterCount(); // anonymous or local
        }
        List<ClassDesc> parameters = method.methodTypeSymbol().parameterList();
        if (!name.contains("$") || parameters.isEmpty()) return 0;
        String outer = "L"
                + model.thisClass()
                        .asInternalName()
                        .substring(0, model.thisClass().asInternalName().lastIndexOf('$')) + ";";
        boolean isInner = model.fields().stream()
                .anyMatch(field -> field.fieldName().stringValue().startsWith("this$"));
        return isInner && parameters.getFirst().descriptorString().equals(outer) ? 1 : 0;
    }

    private static String name(ClassModel model) {
        String name = model.thisClass().asInternalName();
        return name.substring(name.lastIndexOf('/') + 1);
    }

    private static List<ClassModel> classes() {
        try (Stream<Path> files = Files.walk(CLASSES)) {
            List<ClassModel> models = files.filter(file -> file.toString().endsWith(".class"))
                    .filter(file -> !file.endsWith("package-info.class"))
                    .map(SizesTest::parsed)
                    .toList();
            assertThat(models).isNotEmpty();
            return models;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ClassModel parsed(Path file) {
        try {
            return ClassFile.of().parse(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
