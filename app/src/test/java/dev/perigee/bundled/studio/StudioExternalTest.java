package dev.perigee.bundled.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import dev.perigee.Perigee;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PerigeeConfigReader;
import dev.perigee.config.PerigeeConfigReader.Overrides;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The studio's page on a PostgreSQL; the server is configured by the environment's names alone.
class StudioExternalTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private Perigee perigee;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        postgres.execute("CREATE SCHEMA \"o\"\".\"\"dd\"");
        postgres.execute("CREATE TABLE \"o\"\".\"\"dd\".\"<b>t\" (id bigint PRIMARY KEY, v text)");
        postgres.execute("INSERT INTO \"o\"\".\"\"dd\".\"<b>t\" VALUES (9007199254740993, '<i>one</i>')");
        Map<String, String> environment = Map.of(
                "ADMIN_AUTHORIZATION_TOKEN", "token-of-the-admin",
                "STUDIO_USER", "me",
                "STUDIO_PASS", "pass word",
                "EXTERNAL_DB_TYPE", "postgresql",
                "EXTERNAL_DB_HOST", "127.0.0.1",
                "EXTERNAL_DB_PORT", Integer.toString(postgres.port()),
                "EXTERNAL_DB_USER", "postgres",
                "EXTERNAL_DB_PASS", "postgres",
                "EXTERNAL_DB_DATABASE", postgres.database());
        PerigeeConfig config = PerigeeConfigReader.read(
                Optional.empty(),
                new Overrides(Optional.of(folder.resolve("data")), Optional.empty(), OptionalInt.of(0)),
                environment);
        perigee = Perigee.open(config);
    }

    @AfterEach
    void stop() {
        perigee.close();
        postgres.close();
    }

    @Test
    void tables_of_any_schema_are_looked_at_and_statements_reach_postgres_as_they_stand() {
        String origin = "http://127.0.0.1:" + perigee.port();
        StudioTest.onThePage(origin, page -> {
            StudioTest.enter(page, origin);
            page.locator("#source").selectOption("external");
            StudioTest.choose(page, "<b>t");
            assertThat(StudioTest.cell(page, 0, 0)).hasText("9007199254740993");
            assertThat(StudioTest.cell(page, 0, 1)).hasText("<i>one</i>");
            assertThat(page.locator("#add")).isHidden();
            assertThat(page.locator("#read-only")).containsText("external");
            page.locator("#tab-structure").click();
            assertThat(page.locator("#structure")).containsText("bigint");
            page.locator("#tab-sql").click();
            run(page, "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$");
            assertThat(page.locator("#answers")).containsText("rows written");
            run(page, "SELECT version() AS v; SELECT 2 AS two");
            assertThat(page.locator("#answers .answer")).hasCount(2);
            assertThat(page.locator("#answers")).containsText("PostgreSQL");
            page.locator("#sql").fill("SELECT * FROM \"o\"\".\"\"dd\".\"<b>t\"; DELETE FROM \"o\"\".\"\"dd\".\"<b>t\"");
            page.locator("#plan").click();
            Locator plan = page.locator("#answers");
            assertThat(plan).containsText("Delete on");
            page.locator("#sql").fill("SELECT ARRAY[1]; DELETE FROM \"o\"\".\"\"dd\".\"<b>t\"");
            page.locator("#plan").click();
            assertThat(page.locator("#error")).containsText("one statement");
            run(page, "SELECT count(*) AS n FROM \"o\"\".\"\"dd\".\"<b>t\"");
            assertThat(page.locator("#answers td")).hasText("1");
            run(page, "SELECT nothing");
            assertThat(page.locator("#error")).containsText("nothing");
        });
    }

    private static void run(Page page, String sql) {
        page.locator("#sql").fill(sql);
        page.locator("#run").click();
        assertThat(page.locator("#run")).isEnabled();
    }
}
