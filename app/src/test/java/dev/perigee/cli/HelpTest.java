package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.sqlite.SqliteLibrary;
import dev.perigee.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class HelpTest {
    private final Cli cli = new Cli(Map.of());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "demo",
                "serve",
                "sync",
                "doctor",
                "status",
                "tables",
                "tables list",
                "tables add",
                "tables remove",
                "tables pause",
                "tables resume",
                "tables sync",
                "verify",
                "tables recover",
                "tables resync",
                "tables set",
                "tables sweep",
                "tables backfill",
                "tables set-aside",
                "query",
                "wait",
                "version"
            })
    void the_help_is_as_it_was_reviewed(String command) throws IOException {
        Cli.Ended ended = cli.run((command + " --help").strip().split(" "));

        assertThat(ended.exitCode()).isZero();
        assertThat(ended.err()).isEmpty();
        Golden.assertMatches(
                "help/perigee%s.txt".formatted(command.isEmpty() ? "" : "-" + command.replace(' ', '-')), ended.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tables list",
                "tables add",
                "tables remove",
                "tables pause",
                "tables resume",
                "tables sync",
                "tables sweep",
                "tables recover",
                "tables resync",
                "tables set",
                "tables backfill",
                "tables set-aside"
            })
    void every_help_of_a_command_below_has_examples_of_itself(String command) {
        assertThat(cli.run((command + " --help").split(" ")).out())
                .contains("\nExamples:\n  perigee " + command, "\nExit codes:\n  0   ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "serve", "sync", "doctor", "status", "tables", "verify", "query", "version"})
    void every_help_has_examples_and_exit_codes_and_the_page_has_the_command(String command) throws IOException {
        assertThat(cli.run(command, "--help").out()).contains("\nExamples:\n", "\nExit codes:\n  0   ");
        assertThat(Files.readString(Path.of("..", "docs", "cli.md"))).contains("\n## perigee " + command + "\n");
    }

    @Test
    void the_page_has_every_option() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "cli.md"));

        for (String command : List.of(
                "serve",
                "sync",
                "doctor",
                "status",
                "tables add",
                "tables set",
                "tables remove",
                "tables backfill",
                "tables set-aside",
                "verify",
                "query",
                "version")) {
            String help = cli.run((command + " --help").split(" ")).out();
            assertThat(Pattern.compile("--[a-z-]+").matcher(help).results().map(MatchResult::group))
                    .as(command)
                    .allMatch(option -> Pattern.compile("[`\\[ ]" + option + "[`\\] ]")
                            .matcher(page)
                            .find());
        }
    }

    @Test
    void mistakes_of_usage_are_one_form_and_exit_code_2() {
        assertThat(cli.run())
                .isEqualTo(
                        new Cli.Ended(2, "", "perigee: a command is missing\n`perigee --help` shows its options.\n"));
        assertThat(cli.run("serv").err())
                .startsWith("perigee: Unmatched argument")
                .contains("Did you mean: perigee serve");
        assertThat(cli.run("serve", "--port", "x").err())
                .startsWith("perigee: ")
                .contains("`perigee serve --help`");
        assertThat(cli.run("serve", "--port", "70000").exitCode()).isEqualTo(2);
        assertThat(cli.run("query", "SELECT 1", "--json", "--csv").exitCode()).isEqualTo(2);
        assertThat(cli.run("sync", "--to", "x", "--cursor", "c").exitCode()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo --data ",
                "serve --data ",
                "serve --config ",
                "sync --to ",
                "query x --file ",
                "demo --for 0s"
            })
    void an_empty_path_and_no_time_are_mistakes_of_usage(String line) {
        // Only parsed: where it was taken, the demo would begin.
        CommandLine command = Main.commandLine(new ProcessContext(Map.of(), System.in, false));
        assertThatThrownBy(() -> command.parseArgs(line.split(" ", -1)))
                .isInstanceOf(CommandLine.ParameterException.class)
                .hasMessageMatching("(?s).*(expected a path, found an empty text|expected more than no time).*");
    }

    @Test
    void a_server_without_a_token_is_refused_with_how_to_make_one() {
        Cli.Ended ended = cli.run("serve", "--port", "0");

        assertThat(ended.exitCode()).isEqualTo(2);
        assertThat(ended.err())
                .contains("ADMIN_AUTHORIZATION_TOKEN=$(openssl rand -hex 24)")
                .doesNotContain("\tat ");
    }

    @Test
    void the_version_is_for_people_or_programs() {
        assertThat(cli.run("version").out())
                .contains("java ", Runtime.version().toString())
                .containsPattern("sqlite +" + Pattern.quote(SqliteLibrary.version()));
        assertThat(cli.run("--version")).isEqualTo(cli.run("version"));
        assertThat(cli.run("version", "--json").out())
                .startsWith("{\"perigee\":")
                .endsWith("}\n");
    }
}
