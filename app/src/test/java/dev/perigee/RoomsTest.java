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
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The order of the rooms is the architecture: a class uses its own room and rooms before it in this list, so no cycle
/// is possible at any level. Prints the graph of the rooms with `-Drooms.print=true`.
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
            "pages",
            "statement",
            "source",
            "source.postgres.session",
            "source.postgres.decode",
            "source.postgres.catalog",
            "source.postgres.statement",
            "source.postgres.log",
            "source.postgres",
            "plugin",
            "plugin.host",
            "query.sql",
            "query.policy",
            "query.external",
            "query",
            "replication.copy",
            "replication.state",
            "replication.drift",
            "replication.freshness",
            "replication.sync",
            "replication.log",
            "replication.run",
            "replication.check",
            "replication.backfill",
            "replication",
            "bundled.macros",
            "bundled.rest",
            "bundled.socket",
            "bundled.cdc",
            "bundled.cron",
            "bundled.transfer",
            "bundled.studio",
            "bundled",
            "serve",
            FRONT_DOOR,
            "cli.args",
            "cli.demo",
            "cli");

    /// Doors: the classes of a room, and of the rooms in it, that other rooms may name. Rooms without a line here have
    /// all their public classes as doors.
    private static final Map<String, Set<String>> DOORS = Map.of(
            "replication",
            Set.of(
                    "replication/ReplicationPlugin",
                    "replication/SourceView",
                    "replication/TableChooser",
                    "replication/TableOutlook",
                    "replication/TableStatus",
                    "replication/state/Problem",
                    "replication/sync/Progress",
                    "replication/sync/SyncListener",
                    "replication/sync/SyncResult",
                    "replication/sync/TableSync"),
            "source.postgres",
            Set.of("source/postgres/PostgresSource"),
            "cli",
            Set.of());

    /// Classes in a room at most; where there are more, it is two rooms.
    private static final int MAX_CLASSES = 35;

    private static final Path CLASSES = Path.of("target", "classes");
    private static final Pattern OURS = Pattern.compile("dev/perigee/((?:[a-z]+/)*)([A-Z][A-Za-z0-9_]*)");

    @Test
    void a_class_uses_only_its_own_room_and_rooms_before_it() {
        assertThat(classes().flatMap(RoomsTest::breaches)).isEmpty();
    }

    @Test
    void every_room_has_a_place_in_the_order() {
        Set<String> rooms = new TreeSet<>();
        classes().forEach(model -> rooms.add(room(name(model))));
        assertThat(ORDER).containsExactlyInAnyOrderElementsOf(rooms);
    }

    @Test
    void a_room_is_entered_by_its_doors() {
        assertThat(classes().flatMap(RoomsTest::wallsBroken)).isEmpty();
    }

    @Test
    void no_room_is_a_warehouse() {
        Map<String, Integer> sizes = new TreeMap<>();
        classes()
                .filter(model -> !name(model).contains("$") && !name(model).endsWith("package-info"))
                .forEach(model -> sizes.merge(room(name(model)), 1, Integer::sum));
        assertThat(sizes.entrySet()).allMatch(size -> size.getValue() <= MAX_CLASSES);
    }

    @Test
    void the_graph_of_the_rooms_can_be_printed() {
        Map<String, Set<String>> graph = new TreeMap<>();
        classes().forEach(model -> {
            String from = room(name(model));
            uses(model)
                    .map(RoomsTest::room)
                    .filter(to -> !to.equals(from))
                    .forEach(to ->
                            graph.computeIfAbsent(from, _ -> new TreeSet<>()).add(to));
        });
        if (Boolean.getBoolean("rooms.print"))
            ORDER.forEach(room -> System.out.println(room + " -> " + graph.getOrDefault(room, Set.of())));
        assertThat(graph.keySet()).isSubsetOf(ORDER);
    }

    @Test
    void foreign_memory_stays_in_the_rooms_that_own_it() {
        assertThat(classes()
                        .filter(model ->
                                !Set.of("sqlite", "worker", "batch", "pages").contains(room(name(model))))
                        .filter(model -> names(model).stream().anyMatch(name -> name.contains("java/lang/foreign/")))
                        .map(RoomsTest::name))
                .isEmpty();
    }

    private static Stream<String> breaches(ClassModel model) {
        int place = ORDER.indexOf(room(name(model)));
        return uses(model)
                .filter(used -> ORDER.indexOf(room(used)) > place)
                .map(used -> name(model) + " uses " + used)
                .distinct();
    }

    private static Stream<String> wallsBroken(ClassModel model) {
        String from = room(name(model));
        return uses(model)
                .filter(used -> DOORS.entrySet().stream()
                        .anyMatch(room -> isIn(room(used), room.getKey())
                                && !isIn(from, room.getKey())
                                && !room.getValue().contains(used.substring("dev/perigee/".length()))))
                .map(used -> name(model) + " uses " + used)
                .distinct();
    }

    private static boolean isIn(String room, String outer) {
        return room.equals(outer) || room.startsWith(outer + ".");
    }

    private static String name(ClassModel model) {
        return model.thisClass().asInternalName();
    }

    /// The classes of ours that a class names, without those inside others.
    private static Stream<String> uses(ClassModel model) {
        return names(model).stream()
                .flatMap(name -> OURS.matcher(name).results().map(found -> found.group()));
    }

    private static String room(String internalName) {
        Matcher matcher = OURS.matcher(internalName.replace("package-info", "PackageInfo"));
        if (!matcher.find()) throw new IllegalStateException("not in dev.perigee: " + internalName);
        String folders = matcher.group(1);
        return folders.isEmpty()
                ? FRONT_DOOR
                : folders.substring(0, folders.length() - 1).replace('/', '.');
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
