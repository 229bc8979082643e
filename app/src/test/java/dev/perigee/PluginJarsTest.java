package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.PluginsConfig;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.StarbasePlugin;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Plugins that come as jars, among them the one of the guide, and Perigee inside of another program.
class PluginJarsTest {
    private static final Path GUIDE = Path.of("..", "docs", "guide");
    private static final String TOKEN = "the-admins-token";

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();

    /// Compiles sources into `classes`.
    private void compile(Path classes, Stream<Path> sources) {
        List<String> arguments =
                new ArrayList<>(List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path")));
        sources.map(Path::toString).forEach(arguments::add);
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)))
                .isZero();
    }

    private Path jar(String name, String descriptor, Path classes) throws IOException {
        Path plugins = Files.createDirectories(folder.resolve("data/plugins"));
        Path jar = plugins.resolve(name);
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream zip = new JarOutputStream(out);
                Stream<Path> files = Files.isDirectory(classes) ? Files.walk(classes) : Stream.empty()) {
            if (!descriptor.isEmpty()) {
                zip.putNextEntry(new JarEntry("perigee-plugin.json"));
                zip.write(descriptor.getBytes(StandardCharsets.UTF_8));
            }
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                zip.write(Files.readAllBytes(file));
            }
        }
        return jar;
    }

    private Path classes(String name, String source) throws IOException {
        Path file = Files.createDirectories(folder.resolve("src-" + name)).resolve(name + ".java");
        Files.writeString(file, source);
        Path classes = Files.createDirectories(folder.resolve("classes-" + name));
        compile(classes, Stream.of(file));
        return classes;
    }

    private PerigeeBuilder builder() {
        return Perigee.builder().data(folder.resolve("data")).adminToken(TOKEN).port(0);
    }

    private String get(Perigee perigee, String path) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                                .header("Authorization", TOKEN)
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    private String query(Perigee perigee, String sql) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + "/query"))
                                .header("Authorization", TOKEN)
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString("{\"sql\":\"" + sql + "\"}"))
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    private static String descriptor(String name, String type) {
        return "{\"name\":\"%s\",\"version\":\"1\",\"apiVersion\":\"1.0\",\"class\":\"%s\"}".formatted(name, type);
    }

    @Test
    void the_guides_plugin_is_built_found_and_served() throws Exception {
        Path sample = GUIDE.resolve("sample-plugin/src/main");
        Path classes = Files.createDirectories(folder.resolve("classes"));
        compile(classes, Stream.of(sample.resolve("java/com/example/perigee/GreetingPlugin.java")));
        jar("greeting.jar", Files.readString(sample.resolve("resources/perigee-plugin.json")), classes);
        PluginsConfig settings = new PluginsConfig(
                Optional.empty(),
                true,
                Map.of("example:greeting", Map.of("greeting", "Grüezi")),
                Duration.ofSeconds(30));
        try (Perigee perigee = builder()
                .configure(config -> config.with(config.bundled().with(settings)))
                .start()) {
            assertThat(query(perigee, "SELECT greeting('Ann') AS g"))
                    .isEqualTo("{\"result\":[{\"g\":\"Grüezi, Ann!\"}]}");
            assertThat(get(perigee, "/greeting/B%C3%A9a")).contains("Grüezi, Béa!", "\"statements\":1");
            assertThat(get(perigee, "/_internal/stats"))
                    .contains("example:greeting")
                    .doesNotContain("pluginFailures");
        }
    }

    @Test
    void a_jar_that_cannot_be_used_is_named_and_the_others_are_served() throws Exception {
        String body = "import dev.perigee.plugin.*; public final class %1$s extends StarbasePlugin {"
                + " public %1$s() { super(\"test:%1$s\", true, \"/%1$s\"); }"
                + " @Override public void register(PluginHost host) {"
                + " host.route(\"GET\", \"\", PluginHost.Access.ADMIN, r -> Response.result(\"here\")); %2$s } %3$s }";
        Path good = classes("Good", body.formatted("Good", "", ""));
        jar("good.jar", descriptor("test:Good", "Good"), good);
        jar("twice.jar", descriptor("test:Good", "Good"), good);
        jar("none.jar", "", good);
        jar("broken.jar", "{", good);
        jar(
                "unknown.jar",
                "{\"name\":\"x\",\"version\":\"1\",\"apiVersion\":\"1.0\",\"class\":\"X\",\"color\":\"red\"}",
                good);
        jar("newer.jar", "{\"name\":\"x\",\"version\":\"1\",\"apiVersion\":\"2.0\",\"class\":\"X\"}", good);
        jar("noclass.jar", descriptor("test:x", "Missing"), good);
        jar("othername.jar", descriptor("test:other", "Good"), good);
        jar("notype.jar", descriptor("test:t", "NoType"), classes("NoType", "public final class NoType {}"));
        jar(
                "register.jar",
                descriptor("test:Reg", "Reg"),
                classes("Reg", body.formatted("Reg", "throw new IllegalStateException(\"no luck\");", "")));
        jar(
                "start.jar",
                descriptor("test:Sta", "Sta"),
                classes(
                        "Sta",
                        body.formatted(
                                "Sta",
                                "",
                                "@Override public void start() { throw new NoClassDefFoundError(\"gone\"); }")));
        jar(
                "inside.jar",
                descriptor("test:Ins", "Ins"),
                classes(
                        "Ins",
                        body.formatted("Ins", "new dev.perigee.query.QueryEngine(null, null, null, null);", "")));
        Files.writeString(folder.resolve("data/plugins/nojar.jar"), "nothing");
        try (Perigee perigee = builder().start()) {
            String stats = get(perigee, "/_internal/stats");
            assertThat(stats).contains("\"test:Good\"],\"pluginFailures\"");
            for (String part : List.of(
                    "twice.jar\",\"error\":\"another jar",
                    "none.jar\",\"error\":\"it has no perigee-plugin.json",
                    "broken.jar\",\"error\":\"perigee-plugin.json: it is not JSON",
                    "unknown.jar\",\"error\":\"perigee-plugin.json: unknown member `color`",
                    "newer.jar\",\"error\":\"perigee-plugin.json: it was built for version 2.0",
                    "noclass.jar\",\"error\":\"it has no class Missing",
                    "notype.jar\",\"error\":\"the class NoType is not a StarbasePlugin",
                    "nojar.jar\",\"error\":\"it is not a readable jar",
                    "test:Reg\",\"error\":\"",
                    "no luck",
                    "test:Sta",
                    "test:Ins")) {
                assertThat(stats).contains(part);
            }
            assertThat(get(perigee, "/Good")).isEqualTo("{\"result\":\"here\"}");
            assertThat(get(perigee, "/Reg")).contains("Not found");
            assertThat(get(perigee, "/Sta")).contains("Not found");
            assertThat(query(perigee, "SELECT 1 AS a")).isEqualTo("{\"result\":[{\"a\":1}]}");
        }
        PluginsConfig strict = new PluginsConfig(Optional.empty(), true, Map.of(), Duration.ofSeconds(30));
        assertThatThrownBy(() -> builder()
                        .configure(config -> config.with(config.bundled().with(strict)))
                        .start())
                .hasMessageContaining("broken.jar");
        try (Perigee perigee = builder().start()) { // Nothing stayed open.
            assertThat(perigee.port()).isPositive();
        }
    }

    @Test
    void a_jar_that_hangs_or_overflows_holds_up_neither_start_nor_stop() throws Exception {
        String body = "import dev.perigee.plugin.*; public final class %1$s extends StarbasePlugin {"
                + " public %1$s() { super(\"test:%1$s\", true, \"/%1$s\"); }"
                + " @Override public void register(PluginHost host) { host.route(\"GET\", \"\","
                + " PluginHost.Access.ADMIN, r -> Response.result(\"here\")); %2$s }"
                + " void hang() { while (true) { try { Thread.sleep(100_000); } catch (InterruptedException e) {} } }"
                + " int deep(int i) { return deep(i + 1) + 1; }"
                + " @Override public void start() { %3$s } @Override public void stop() { %4$s } }";
        Map<String, List<String>> plugins = Map.of(
                "HangsFirst", List.of("hang();", "", ""),
                "HangsAtStart", List.of("", "hang();", ""),
                "HangsAtStop", List.of("", "", "hang();"),
                "Overflows", List.of("", "deep(0);", ""),
                "FailsAtStop", List.of("", "", "deep(0);"));
        for (var each : plugins.entrySet()) {
            String name = each.getKey();
            List<String> steps = each.getValue();
            jar(
                    name + ".jar",
                    descriptor("test:" + name, name),
                    classes(name, body.formatted(name, steps.get(0), steps.get(1), steps.get(2))));
        }
        PluginsConfig quick = new PluginsConfig(Optional.empty(), false, Map.of(), Duration.ofMillis(500));
        long begin = System.nanoTime();
        try (Perigee perigee = builder()
                .configure(config -> config.with(config.bundled().with(quick)))
                .start()) {
            assertThat(get(perigee, "/_internal/stats"))
                    .contains("\"test:FailsAtStop\",\"test:HangsAtStop\"],\"pluginFailures\"")
                    .contains("test:HangsFirst", "register failed", "test:HangsAtStart", "longer than plugins.limit")
                    .contains("test:Overflows", "StackOverflowError");
            for (String out : List.of("HangsFirst", "HangsAtStart", "Overflows")) {
                assertThat(get(perigee, "/" + out)).as(out).contains("Not found");
            }
            assertThat(get(perigee, "/HangsAtStop")).contains("here");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .as("it waits for none of those that hang, for 100 s each")
                .isLessThan(Duration.ofSeconds(90));
    }

    @Test
    void two_plugins_have_two_versions_of_one_library() throws Exception {
        for (int version : List.of(1, 2)) {
            String name = "Lib" + version;
            Path source = Files.createDirectories(folder.resolve("src" + version + "/lib"));
            Files.writeString(
                    source.resolve("Shared.java"),
                    "package lib; public final class Shared { public static int version() { return %d; } }"
                            .formatted(version));
            Path plugin = Files.writeString(
                    folder.resolve("src" + version).resolve(name + ".java"),
                    "import dev.perigee.plugin.*; public final class %1$s extends StarbasePlugin { public %1$s() { super(\"test:%1$s\", true, \"/%1$s\"); } @Override public void register(PluginHost host) { host.route(\"GET\", \"\", PluginHost.Access.ADMIN, r -> Response.result(lib.Shared.version())); } }"
                            .formatted(name));
            Path classes = Files.createDirectories(folder.resolve("classes" + version));
            compile(classes, Stream.of(source.resolve("Shared.java"), plugin));
            jar(name + ".jar", descriptor("test:" + name, name), classes);
        }
        try (Perigee perigee = builder().start()) {
            assertThat(get(perigee, "/Lib1")).isEqualTo("{\"result\":1}");
            assertThat(get(perigee, "/Lib2")).isEqualTo("{\"result\":2}");
        }
    }

    @Test
    void a_program_has_perigees_inside_with_plugins_of_its_own() throws Exception {
        StarbasePlugin own = new StarbasePlugin("own:one", true, "/own") {
            @Override
            public void register(PluginHost host) {
                host.route("GET", "", PluginHost.Access.ADMIN, _ -> dev.perigee.plugin.Response.result("mine"));
            }
        };
        try (Perigee one = builder().plugin(own).start();
                Perigee two = Perigee.builder()
                        .data(folder.resolve("two"))
                        .adminToken(TOKEN)
                        .port(0)
                        .start()) {
            assertThat(get(one, "/own")).isEqualTo("{\"result\":\"mine\"}");
            assertThat(get(two, "/own")).contains("Not found");
        }
        assertThatThrownBy(() -> Perigee.builder().data(folder.resolve("three")).start())
                .hasMessageContaining("ADMIN_AUTHORIZATION_TOKEN");
    }

    @Test
    void the_guides_program_runs() throws Exception {
        Path classes = Files.createDirectories(folder.resolve("embedded"));
        compile(classes, Stream.of(GUIDE.resolve("embedding/Embedded.java")));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classes + System.getProperty("path.separator") + System.getProperty("java.class.path"),
                        "Embedded",
                        folder.resolve("inside").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).contains("http://127.0.0.1:", "[id, text]", "Text[value=embedded]");
    }
}
