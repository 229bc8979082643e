package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Runs the launcher itself, with JDKs that only say who they are and what they were given. The absolute folders it
/// looks in are moved below the test's own, so that no JDK of this machine is found.
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private record Ended(int exitCode, String output) {}

    @TempDir
    private Path dir;

    private Path root;
    private final Map<String, String> environment = new TreeMap<>();

    @BeforeEach
    void install() throws IOException {
        root = Files.createDirectories(dir.resolve("in stall"));
        String script = Files.readString(Path.of("..", "perigee"));
        for (String folder : List.of("/usr/", "/opt/", "/Library/")) {
            script = script.replace(" " + folder, " " + dir + folder);
        }
        executable(root.resolve("perigee"), script);
        Files.createDirectories(root.resolve("app/target/lib"));
        Files.writeString(root.resolve("app/target/perigee.jar"), "jar");
        Path tools = Files.createDirectories(dir.resolve("bin"));
        for (String tool : List.of(
                "sh",
                "dirname",
                "basename",
                "readlink",
                "sed",
                "head",
                "find",
                "tail",
                "mkdir",
                "touch",
                "grep",
                "rm")) {
            Files.createSymbolicLink(tools.resolve(tool), which(tool));
        }
        environment.put("PATH", tools.toString());
        environment.put("HOME", dir.resolve("home").toString());
    }

    @Test
    void java_home_comes_first() throws Exception {
        jdk("usr/lib/jvm/jdk-26", "26.0.1");
        environment.put("JAVA_HOME", jdk("mine", "25.0.3").toString());

        assertThat(run("sync", "a b").output())
                .isEqualTo("25.0.3 --enable-native-access=ALL-UNNAMED -jar ["
                        + root.toRealPath().resolve("app/target/perigee.jar") + "] sync [a b]\n");
    }

    @Test
    void a_java_home_that_is_too_old_is_passed_over_for_the_one_in_path() throws Exception {
        environment.put("JAVA_HOME", jdk("old", "24.0.2").toString());
        environment.put("PATH", jdk("links/jdk", "25-ea").resolve("bin") + ":" + environment.get("PATH"));

        assertThat(run().output()).startsWith("25-ea ");
    }

    @Test
    void the_java_in_path_may_be_a_link() throws Exception {
        Path java = jdk("far/away", "27").resolve("bin/java");
        Files.createSymbolicLink(dir.resolve("bin/java"), java);

        assertThat(run().output()).startsWith("27 ");
    }

    @Test
    void the_usual_folders_come_last_and_versions_are_numbers() throws Exception {
        jdk("usr/lib/jvm/jdk-9", "9.0.4");
        jdk("usr/lib/jvm/jdk-8", "1.8.0_292");
        jdk("home/.sdkman/candidates/java/100-tem", "100.0.1");

        assertThat(run().output()).startsWith("100.0.1 ");
    }

    @Test
    void a_jre_without_a_compiler_is_no_jdk() throws Exception {
        Files.delete(jdk("usr/lib/jvm/jre-25", "25.0.3").resolve("bin/javac"));

        assertThat(run()).isEqualTo(none());
    }

    @Test
    void a_jdk_without_a_release_file_is_asked() throws Exception {
        Files.delete(jdk("opt/my-jdk", "25.0.3").resolve("release"));

        assertThat(run().output()).startsWith("25.0.3 ");
    }

    @Test
    void without_a_jdk_it_says_so_in_one_line() throws Exception {
        jdk("usr/lib/jvm/jdk-24", "24.0.2");

        assertThat(run()).isEqualTo(none());
    }

    @Test
    void more_jvm_options_come_from_the_environment() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        environment.put("PERIGEE_JAVA_OPTS", "-Xmx256m -Da=b");

        assertThat(run().output()).contains(" -Xmx256m -Da=b -jar ");
    }

    @Test
    void it_works_through_links_and_ends_with_the_exit_code_of_the_program() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        Files.createSymbolicLink(dir.resolve("first"), Path.of("in stall/perigee"));
        Files.createSymbolicLink(dir.resolve("bin/pg"), dir.resolve("first"));

        Ended ended = run(dir.resolve("bin/pg"), "exit", "7");

        assertThat(ended.exitCode()).isEqualTo(7);
        assertThat(ended.output()).contains(root.toRealPath() + "/app/target/perigee.jar");
    }

    @Test
    void a_source_newer_than_the_jar_is_built_once() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        sources();
        executable(dir.resolve("bin/mvn"), "#!/bin/sh\necho \"$PWD $JAVA25_HOME $*\" >>\"$HOME/built\"\n");
        Files.createDirectories(dir.resolve("home"));

        assertThat(run().output()).startsWith("perigee: building; the first time downloads what it needs\n25 ");
        assertThat(run().output()).startsWith("25 ");
        assertThat(Files.readAllLines(dir.resolve("home/built")))
                .singleElement()
                .satisfies(line -> assertThat(line)
                        .startsWith(root.toRealPath() + " " + dir.resolve("mine"))
                        .endsWith(" package"));
    }

    /// The cache is made by a run after the build; one that is older than the jar is of another build.
    @Test
    void classes_come_from_the_cache_of_this_build() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        Path cache = Files.writeString(root.resolve("app/target/perigee.aot"), "cache");
        Path jar = root.resolve("app/target/perigee.jar");
        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
        assertThat(run("serve").output()).contains("-XX:AOTCache=").contains("perigee.aot");
        Files.setLastModifiedTime(cache, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        assertThat(run("serve").output()).doesNotContain("AOTCache");
    }

    /// What a server needs would slow down a command that ends at once, and the other way round.
    @Test
    void short_commands_have_a_cache_of_their_own() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        Files.writeString(root.resolve("app/target/perigee-short.aot"), "cache");
        Files.setLastModifiedTime(
                root.resolve("app/target/perigee.jar"),
                FileTime.from(Instant.now().minus(Duration.ofHours(1))));

        assertThat(run("version").output()).contains("perigee-short.aot", "-XX:TieredStopAtLevel=1");
        assertThat(run("serve").output()).doesNotContain("AOTCache", "TieredStopAtLevel");
        assertThat(run("--verbose", "serve").output()).doesNotContain("AOTCache", "TieredStopAtLevel");
    }

    @Test
    void a_build_that_fails_shows_what_maven_said_and_nothing_runs() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        sources();
        executable(dir.resolve("bin/mvn"), "#!/bin/sh\necho no such artifact\nexit 1\n");

        Ended ended = run();

        assertThat(ended.exitCode()).isEqualTo(3);
        assertThat(ended.output())
                .contains("no such artifact\nperigee: the build failed")
                .doesNotContain("-jar");
    }

    @Test
    void without_maven_it_says_what_is_missing() throws Exception {
        environment.put("JAVA_HOME", jdk("mine", "25").toString());
        sources();

        assertThat(run())
                .isEqualTo(new Ended(
                        3,
                        "perigee: Maven is needed to build Perigee, and there is no mvn in PATH. Install Maven 3.6.3"
                                + " or newer.\n"));
    }

    private static Ended none() {
        return new Ended(
                3,
                "perigee: a JDK 25 or newer is needed, and none was found in JAVA_HOME, in PATH or in the usual folders."
                        + " Install one (for example from https://adoptium.net) or set JAVA_HOME to it.\n");
    }

    private void sources() throws IOException {
        Files.createDirectories(root.resolve("app/src/main"));
        Files.writeString(root.resolve("pom.xml"), "");
        Files.writeString(root.resolve("app/pom.xml"), "");
        Files.setLastModifiedTime(
                root.resolve("app/target/perigee.jar"),
                FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    }

    /// A JDK that prints its version and arguments, and ends with the code it is asked for.
    private Path jdk(String folder, String version) throws IOException {
        Path home = dir.resolve(folder);
        Files.createDirectories(home.resolve("bin"));
        executable(home.resolve("bin/java"), """
                #!/bin/sh
                if [ "$1" = -version ]; then echo 'openjdk version "%s" 2026-01-20' >&2; exit; fi
                printf '%%s' %s
                code=0
                for argument in "$@"; do
                    case $argument in *' '*) printf ' [%%s]' "$argument" ;; *) printf ' %%s' "$argument" ;; esac
                    [ "$argument" != 7 ] || code=7
                done
                echo
                exit $code
                """.formatted(version, version));
        executable(home.resolve("bin/javac"), "#!/bin/sh\n");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private Ended run(String... arguments) throws Exception {
        return run(root.resolve("perigee"), arguments);
    }

    private Ended run(Path launcher, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(which("sh").toString(), launcher.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.directory(dir.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    private static void executable(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Path which(String tool) {
        return List.of("/bin", "/usr/bin").stream()
                .map(folder -> Path.of(folder, tool))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
    }
}
