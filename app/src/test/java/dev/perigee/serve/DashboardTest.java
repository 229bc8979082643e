package dev.perigee.serve;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import dev.perigee.Perigee;
import dev.perigee.ServedPerigee;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.testing.Chromium;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The page at `/` in a real Chromium, against a whole Perigee with a real PostgreSQL behind it. Skipped, and said so,
/// where there is no Chromium.
class DashboardTest {
    @TempDir
    Path folder;

    private final List<String> complaints = new ArrayList<>();
    private TestPostgres postgres;
    private ServedPerigee perigee;
    private BrowserContext context;
    private Page page;

    @BeforeAll
    static void findBrowser() {
        assumeTrue(Chromium.find().isPresent(), "there is no Chromium in PATH: the page is not tested");
    }

    @BeforeEach
    void open() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE orders (id int PRIMARY KEY, total numeric(12,2));
                INSERT INTO orders SELECT i, i FROM generate_series(1, 1234) i""");
        perigee = ServedPerigee.forAdmins(folder, postgres.config());
        context = Chromium.browser().newContext();
        page = context.newPage();
        page.onPageError(complaints::add);
        page.onConsoleMessage(message -> {
            if (message.type().equals("error")) complaints.add(message.text());
        });
        page.onRequest(request -> {
            if (!request.url().startsWith(origin())) complaints.add("a request to " + request.url());
        });
    }

    @AfterEach
    void close() {
        context.close();
        perigee.close();
        postgres.close();
    }

    @Test
    void the_token_is_asked_for_once_and_is_in_no_address() {
        page.navigate(origin());
        signIn("wrong");
        assertThat(page.locator("#token-error")).containsText("does not know this token");
        signIn(ServedPerigee.TOKEN);
        assertThat(page.locator("#empty")).isVisible();
        page.reload();
        assertThat(page.locator("#empty")).isVisible();
        assertThat(page.url()).isEqualTo(origin() + "/");
        assertThat(page.content()).doesNotContain(ServedPerigee.TOKEN);
        page.locator("#forget").click();
        assertThat(page.locator("#gate")).isVisible();
        complaints.removeIf(text -> text.contains("401")); // Chromium tells of the refused token
        assertThat(complaints).isEmpty();
    }

    @Test
    void a_table_is_added_on_the_page_and_lives_there() {
        enter();
        page.locator("#add-name").fill("orders");
        page.locator("#add-cursor").fill("id");
        page.locator("#add-seconds").fill("1");
        page.locator("#add button[type=submit]").click();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
        postgres.execute("INSERT INTO orders SELECT generate_series(2001, 2010)");
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?244"));
        assertThat(page.locator("#place")).containsText("PostgreSQL");
        assertThat(complaints).isEmpty();
    }

    @Test
    void it_shows_what_the_source_can_prove_and_the_statement_that_would_change_it() {
        enter();
        assertThat(page.locator("#source-line")).containsText("copies can be complete");
        postgres.execute("ALTER FUNCTION pg_catalog.pg_walfile_name(pg_lsn) RENAME TO hidden");
        postgres.execute("CREATE TABLE secret (id int PRIMARY KEY)");
        String role = postgres.database();
        postgres.execute("CREATE ROLE %1$s LOGIN; GRANT SELECT ON orders TO %1$s".formatted(role));
        perigee.close();
        perigee = ServedPerigee.forAdmins(folder, postgres.configAs(role));
        enter();
        assertThat(page.locator("#source-line")).containsText("copies are settled at best, 3 remarks");
        page.locator("#source-line").click();
        assertThat(page.locator("#source-obstacles"))
                .containsText("GRANT pg_read_all_stats TO \"%s\";".formatted(role));
        postgres.execute("DROP OWNED BY %1$s; DROP ROLE %1$s".formatted(role));
    }

    @Test
    void without_a_source_it_says_what_to_do() {
        PerigeeConfig nothingToPull = new PerigeeConfig(
                StoreConfig.of(folder.resolve("alone")),
                ServeConfig.of(0, ServedPerigee.TOKEN),
                QueryConfig.defaults(),
                Optional.empty(),
                ReplicationConfig.defaults());
        try (Perigee alone = Perigee.open(nothingToPull)) {
            page.navigate("http://127.0.0.1:" + alone.port());
            signIn(ServedPerigee.TOKEN);
            assertThat(page.locator("#no-source")).containsText("EXTERNAL_DB_URL");
            assertThat(page.locator("#add")).isHidden();
            assertThat(page.locator("#empty")).isHidden();
            assertThat(page.locator("#link")).containsText("live");
        }
    }

    @Test
    void its_buttons_pause_and_sync() {
        perigee.call("POST", "/replication/tables", "{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'}");
        enter();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
        postgres.execute("INSERT INTO orders VALUES (5000, 1)");
        page.getByText("Sync", new Page.GetByTextOptions().setExact(true)).click();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?235"));
        page.getByText("Pause", new Page.GetByTextOptions().setExact(true)).click();
        assertThat(page.locator("#tables tbody")).containsText("paused");
        assertThat(perigee.status("orders").get("state").asString()).isEqualTo("paused");
        assertThat(complaints).isEmpty();
    }

    @Test
    void what_failed_is_shown_with_what_helps() {
        perigee.call("POST", "/replication/tables", "{'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 1000}");
        enter();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
        postgres.execute("DROP TABLE orders");
        assertThat(page.locator("#tables")).containsText("SOURCE_TABLE_MISSING");
        assertThat(page.locator("#tables")).containsText("perigee tables remove");
    }

    @Test
    void a_copy_that_is_not_right_is_not_called_up_to_date_and_live_is_not_green_while_a_table_fails() {
        perigee.call("POST", "/replication/tables", "{'name': 'orders', 'cursorColumn': 'id', 'intervalMs': 1000}");
        enter();
        assertThat(page.locator("#tables tbody .state")).hasText("up to date");
        perigee.perigee().store().write(tx -> {
            tx.connection().exec("UPDATE orders SET total = -1 WHERE id = 7");
            return true;
        });
        perigee.call("POST", "/replication/tables/orders/verify", "");
        assertThat(page.locator("#tables tbody .state")).hasText("needs attention");
        assertThat(page.locator("#tables")).containsText("perigee verify --table orders --repair");
        assertThat(page.locator("#link")).containsText("1 table needs attention");
        postgres.execute("DROP TABLE orders");
        assertThat(page.locator("#link")).containsText("the table fails");
    }

    @Test
    void a_query_runs_and_its_error_is_shown() {
        perigee.call("POST", "/replication/tables", "{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'}");
        enter();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
        page.locator("#sql").fill("SELECT sum(total) AS sum_of_totals, '<b>&' AS text FROM orders");
        page.locator("#run").click();
        assertThat(page.locator("#grid")).containsText("sum_of_totals");
        assertThat(page.locator("#grid")).containsText("761995");
        assertThat(page.locator("#grid")).containsText("<b>&");
        // JavaScript would round the first, and the server writes the second as 1.25E7.
        page.locator("#sql").fill("SELECT 9007199254740993 AS big, 12500000.0 AS plain, NULL AS missing");
        page.locator("#sql").press("Control+Enter");
        assertThat(page.locator("#grid tbody td")).containsText(new String[] {"9007199254740993", "12500000", "NULL"});
        page.locator("#sql").fill("SELEC 1");
        page.locator("#run").click();
        assertThat(page.locator("#query-error")).containsText("syntax error");
    }

    @Test
    void it_is_dark_where_the_system_is_and_fits_every_width() {
        perigee.call("POST", "/replication/tables", "{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'}");
        String light = textColour();
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
        assertThat(textColour()).isNotEqualTo(light);
        enter();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
        for (int width : new int[] {320, 360, 760, 900, 1110, 1130, 1280}) {
            page.setViewportSize(width, 700);
            assertThat((Integer) page.evaluate("document.documentElement.scrollWidth"))
                    .as("width " + width)
                    .isLessThanOrEqualTo(width);
        }
        assertThat(complaints).isEmpty();
    }

    @Test
    void a_theme_that_was_chosen_stays_and_a_server_that_is_gone_is_said() {
        perigee.call("POST", "/replication/tables", "{'name': 'orders', 'cursorColumn': 'id', 'interval': '1h'}");
        enter();
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
        page.locator("#theme").click();
        page.locator("#theme").click();
        assertThat(page.locator("#theme")).hasText("Theme: dark");
        page.reload();
        assertThat(page.locator("html")).hasAttribute("data-theme", "dark");
        assertThat(page.locator("#link")).containsText("live");
        assertThat(complaints).isEmpty();
        perigee.close();
        assertThat(page.locator("#link")).containsText("connection lost");
        assertThat(page.locator("#lost")).containsText("The page tries again by itself.");
        assertThat(page.locator("#tables tbody")).containsText(Pattern.compile("1\\s?234"));
    }

    @Test
    void a_source_that_is_away_is_told_once_with_the_tables_it_holds_up() {
        postgres.execute("CREATE TABLE items (id int PRIMARY KEY)");
        perigee.close();
        try (TcpProxy proxy = new TcpProxy(postgres.port())) {
            perigee = ServedPerigee.forAdmins(folder, TestPostgres.config(proxy.port(), postgres.database()));
            perigee.call(
                            "POST",
                            "/replication/tables",
                            "{'tables': [{'name': 'orders', 'cursorColumn': 'id'}, {'name': 'items', 'cursorColumn': 'id'}]}")
                    .result();
            proxy.failAfter(0, TcpProxy.Fault.CLOSE);
            perigee.call("POST", "/replication/sync", "").result();
            enter();
            assertThat(page.locator("#source-trouble")).containsText("SOURCE_UNREACHABLE in the source");
            assertThat(page.locator("#source-trouble")).containsText("items");
            assertThat(page.locator("#source-trouble")).containsText("orders");
            assertThat(page.locator("#tables tr.trouble:not(.attention) >> visible=true"))
                    .hasCount(0);
            proxy.heal();
            assertThat(page.locator("#source-trouble")).isHidden();
        }
    }

    private String textColour() {
        page.navigate(origin());
        return (String) page.evaluate("getComputedStyle(document.body).color");
    }

    private void enter() {
        page.navigate(origin());
        signIn(ServedPerigee.TOKEN);
    }

    private void signIn(String token) {
        page.locator("#token").fill(token);
        page.locator("#token-form button[type=submit]").click();
    }

    private String origin() {
        return "http://127.0.0.1:" + perigee.port();
    }
}
