package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The order of the rooms is the architecture: a class uses its own room and rooms before it in this list.
class RoomsTest {
    /// The front door has no package of its own; only the command line stands after it.
    private static final String FRONT_DOOR = "Perigee";

    private static final List<String> ORDER = List.of(
            "fault",
            "config",
            "sqlite",
            "worker",
            "store",
            "alarm",
            "batch",
            "source",
            "plugin",
            "query",
            "replication",
            "bundled",
            "serve",
            FRONT_DOOR,
            "cli");

    private static final Path CLASSES = Path.of("target", "classes");
    private static final Pattern OURS = Pattern.compile("dev/perigee/([A-Za-z0-9_$]+)(/)?");

    @Test
    void a_class_uses_only_its_own_room_and_rooms_before_it() {
        assertThat(classes().flatMap(RoomsTest::breaches)).isEmpty();
    }

    @Test
    void every_room_has_a_place_in_the_order() {
        Set<String> rooms = new TreeSet<>();
        classes().forEach(model -> rooms.add(room(model.thisClass().asInternalName())));
        assertThat(ORDER).containsAll(rooms);
    }

    @Test
    void foreign_memory_stays_in_the_rooms_that_own_it() {
        assertThat(classes()
                        .filter(model -> !Set.of("sqlite", "worker", "batch")
                                .contains(room(model.thisClass().asInternalName())))
                        .filter(model -> names(model).stream().anyMatch(name -> name.contains("java/lang/foreign/")))
                        .map(model -> model.thisClass().asInternalName()))
                .isEmpty();
    }

    private static Stream<String> breaches(ClassModel model) {
        String from = model.thisClass().asInternalName();
        int place = ORDER.indexOf(room(from));
        Set<String> found = new TreeSet<>();
        for (String name : names(model)) {
            Matcher matcher = OURS.matcher(name);
            while (matcher.find()) {
                String target = matcher.group(2) == null ? FRONT_DOOR : matcher.group(1);
                if (ORDER.indexOf(target) > place) found.add(from + " uses " + name);
            }
        }
        return found.stream();
    }

    private static String room(String internalName) {
        Matcher matcher = OURS.matcher(internalName);
        if (!matcher.find()) throw new IllegalStateException("not in dev.perigee: " + internalName);
        return matcher.group(2) == null ? FRONT_DOOR : matcher.group(1);
    }

    /// Class entries and everything that can be a descriptor or a signature.
    private static List<String> names(ClassModel model) {
        List<String> names = new ArrayList<>();
        for (PoolEntry entry : model.constantPool()) {
            switch (entry) {
                case ClassEntry type -> names.add(type.asInternalName());
                case Utf8Entry text
                when text.stringValue().contains("L") && text.stringValue().contains(";") ->
                    names.add(text.stringValue());
                default -> {}
            }
        }
        return names;
    }

    private static Stream<ClassModel> classes() {
        try (Stream<Path> files = Files.walk(CLASSES)) {
            return files.filter(file -> file.toString().endsWith(".class")).map(RoomsTest::parse).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ClassModel parse(Path file) {
        try {
            return ClassFile.of().parse(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
