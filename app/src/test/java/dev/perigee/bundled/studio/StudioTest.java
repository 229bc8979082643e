package dev.perigee.bundled.studio;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import dev.perigee.Perigee;
import dev.perigee.config.BundledConfig;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.StudioConfig;
import dev.perigee.config.SurfaceConfig;
import dev.perigee.testing.Chromium;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestCertificates;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The studio over HTTP, and its page in a real Chromium where there is one.
class StudioTest {
    private static final String TOKEN = "token-of-the-admin";

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private Perigee perigee;

    @BeforeEach
    void start() {
        perigee = open(new StudioConfig(Optional.of("me"), Optional.of("pass word")), "data");
        perigee.store().write(tx -> {
            tx.connection().exec("CREATE TABLE people (id INTEGER PRIMARY KEY, \"na<b>me\" TEXT, big INTEGER, b BLOB)");
            tx.connection()
                    .exec(
                            "INSERT INTO people VALUES (1, '<img src=x onerror=alert(1)>', 9007199254740993, x'00ff'), (2, '', NULL, NULL)");
            return true;
        });
    }

    private Perigee open(StudioConfig studio, String name) {
        return open(studio, name, new SurfaceConfig(List.of(), 1000, 60, false, Optional.empty(), true));
    }

    private Perigee open(StudioConfig studio, String name, SurfaceConfig surface) {
        return Perigee.open(new PerigeeConfig(
                        StoreConfig.of(folder.resolve(name)),
                        ServeConfig.of(0, TOKEN).with(surface),
                        QueryConfig.defaults(),
                        Optional.empty(),
                        ReplicationConfig.defaults())
                .with(BundledConfig.DEFAULTS.with(studio)));
    }

    @AfterEach
    void stop() {
        http.shutdownNow();
        perigee.close();
    }

    private String origin() {
        return "http://127.0.0.1:" + perigee.port();
    }

    private HttpResponse<String> send(String method, String path, String body, String... headers) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(origin() + path))
                    .header("Content-Type", "application/json")
                    .method(method, BodyPublishers.ofString(body));
            if (headers.length > 0) request.headers(headers);
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private record SignedIn(String cookie, String csrf) {}

    private SignedIn signIn() {
        HttpResponse<String> answer = send("POST", "/studio/login", "{\"user\":\"me\",\"password\":\"pass word\"}");
        assertThat(answer.statusCode()).isEqualTo(200);
        String cookie = answer.headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(cookie).contains("HttpOnly", "SameSite=Strict", "Path=/studio");
        JsonNode body = JsonMapper.shared().readTree(answer.body());
        return new SignedIn(
                cookie.substring(0, cookie.indexOf(';')),
                body.get("result").get("csrf").asString());
    }

    @Test
    @Contract({"Kept: GET /studio", "Different: /studio is off unless credentials are set"})
    void without_both_credentials_there_is_no_studio() {
        assertThat(send("GET", "/studio", "").statusCode()).isEqualTo(200);
        for (StudioConfig half : List.of(
                StudioConfig.OFF,
                new StudioConfig(Optional.of("me"), Optional.empty()),
                new StudioConfig(Optional.empty(), Optional.of("x")))) {
            perigee.close();
            perigee = open(half, "off");
            HttpResponse<String> answer = send("GET", "/studio", "");
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(answer.body()).contains("STUDIO_USER");
            assertThat(send("POST", "/studio/login", "{\"user\":\"\",\"password\":\"\"}")
                            .statusCode())
                    .isEqualTo(404);
        }
    }

    @Test
    @Contract("Different: /studio has a session cookie and no token in the page")
    void only_the_pages_own_requests_with_its_session_do_anything() {
        for (String path : List.of("/studio", "/studio/studio.js", "/studio/studio.css")) {
            HttpResponse<String> file = send("GET", path, "");
            assertThat(file.body()).doesNotContain(TOKEN, "pass word");
            assertThat(file.headers().firstValue("Content-Security-Policy").orElse(""))
                    .contains("script-src 'self'");
        }
        String select = "{\"sql\":\"SELECT 1 AS a; SELECT 2 AS b\"}";
        assertThat(send("POST", "/studio/query", select).statusCode()).isEqualTo(401);
        SignedIn me = signIn();
        String csrf = StudioHeaders.CSRF;
        assertThat(send("POST", "/studio/query", select, "Cookie", me.cookie(), csrf, me.csrf())
                        .body())
                .contains("\"columns\":[\"a\"],\"rows\":[[{\"i\":\"1\"}]]", "\"columns\":[\"b\"]");
        assertThat(send("POST", "/studio/query", select, "Cookie", me.cookie()).statusCode())
                .isEqualTo(403);
        assertThat(send("POST", "/studio/query", select, csrf, me.csrf()).statusCode())
                .isEqualTo(401);
        assertThat(send(
                                "POST",
                                "/studio/query",
                                select,
                                "Cookie",
                                me.cookie(),
                                csrf,
                                me.csrf(),
                                "Sec-Fetch-Site",
                                "cross-site")
                        .statusCode())
                .isEqualTo(403);
        assertThat(send("GET", "/studio/export/csv?table=people", "", "Cookie", me.cookie())
                        .body())
                .startsWith("id,na<b>me,big,b\r\n1,");
        assertThat(send("GET", "/studio/export/csv?table=people", "").statusCode())
                .isEqualTo(401);
        assertThat(send(
                                "GET",
                                "/studio/export/csv?table=people",
                                "",
                                "Cookie",
                                me.cookie(),
                                "Sec-Fetch-Site",
                                "cross-site")
                        .statusCode())
                .isEqualTo(403);
        // The session is the studio's only.
        assertThat(send("POST", "/query", "{\"sql\":\"SELECT 1\"}", "Cookie", me.cookie())
                        .statusCode())
                .isEqualTo(401);
        assertThat(send("POST", "/studio/logout", "{}", "Cookie", me.cookie(), csrf, me.csrf())
                        .statusCode())
                .isEqualTo(200);
        assertThat(send("POST", "/studio/query", select, "Cookie", me.cookie(), csrf, me.csrf())
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void wrong_passwords_are_refused_and_then_not_looked_at() {
        for (int i = 0; i < 10; i++) {
            assertThat(send("POST", "/studio/login", "{\"user\":\"me\",\"password\":\"wrong\"}")
                            .statusCode())
                    .isEqualTo(401);
        }
        assertThat(send("POST", "/studio/login", "{\"user\":\"me\",\"password\":\"pass word\"}")
                        .statusCode())
                .isEqualTo(429);
    }

    @Test
    void rows_are_looked_at_changed_and_saved_on_the_page() {
        onThePage(origin(), page -> {
            page.navigate(origin() + "/studio");
            page.locator("#user").fill("me");
            page.locator("#password").fill("wrong");
            page.locator("#login button").click();
            assertThat(page.locator("#login-error")).containsText("wrong");
            page.locator("#password").fill("pass word");
            page.locator("#login button").click();
            page.locator("#objects button", new Page.LocatorOptions().setHasText("people"))
                    .click();
            assertThat(page.locator("#grid tbody tr")).hasCount(2);
            assertThat(page.locator("#grid")).containsText("9007199254740993");
            assertThat(page.locator("#grid")).containsText("<img src=x");
            page.locator("#grid tbody tr").nth(0).locator("td").nth(3).dblclick();
            page.keyboard().type("9223372036854775807");
            page.keyboard().press("Enter");
            page.locator("#grid tbody tr").nth(1).locator("td").nth(2).dblclick();
            page.keyboard().press("Control+Backspace");
            page.locator("#add").click();
            page.locator("#grid tr.added td").nth(2).dblclick();
            page.keyboard().type("new one");
            page.keyboard().press("Enter");
            assertThat(page.locator("#staged")).containsText("3 changes");
            picture(page, "studio-rows");
            page.locator("#save").click();
            assertThat(page.locator("#grid tbody tr")).hasCount(3);
            assertThat(page.locator("#grid")).containsText("9223372036854775807");
            JsonNode rows = JsonMapper.shared()
                    .readTree(send("POST", "/query", "{\"sql\":\"SELECT * FROM people\"}", "Authorization", TOKEN)
                            .body());
            assertThat(rows.get("result").toString())
                    .contains(
                            "\"big\":9223372036854775807",
                            "{\"id\":2,\"na<b>me\":null",
                            "{\"id\":3,\"na<b>me\":\"new one\"");
            page.locator("#tab-structure").click();
            assertThat(page.locator("#ddl")).containsText("CREATE TABLE people");
            page.locator("#tab-sql").click();
            page.locator("#sql").fill("SELECT count(*) AS n FROM people; SELECT 'x' AS y");
            page.keyboard().press("Control+Enter");
            assertThat(page.locator("#answers .answer")).hasCount(2);
            page.locator("#sql").fill("SELECT * FROM people WHERE id = 1");
            page.locator("#plan").click();
            assertThat(page.locator("#answers .plan").first()).containsText("SEARCH people");
            page.locator("#sql").fill("SELEC 1");
            page.locator("#run").click();
            assertThat(page.locator("#error")).containsText("syntax error");
            page.locator("#sql").fill("SELECT * FROM people");
            page.locator("#run").click();
            assertThat(page.locator("#answers td").first()).isVisible();
            picture(page, "studio-light");
            page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
            picture(page, "studio-dark");
            page.setViewportSize(390, 780);
            picture(page, "studio-narrow");
            page.reload();
            assertThat(page.locator("#objects button").first()).isVisible();
            page.locator("#logout").click();
            assertThat(page.locator("#gate")).isVisible();
        });
    }

    /// Runs `look` in a Chromium, which may complain of nothing but refused requests.
    static void onThePage(String origin, Consumer<Page> look) {
        assumeTrue(Chromium.find().isPresent(), "there is no Chromium in PATH: the studio's page is not tested");
        try (BrowserContext context =
                Chromium.browser().newContext(new Browser.NewContextOptions().setHasTouch(true))) {
            List<String> complaints = new ArrayList<>();
            Page page = context.newPage();
            page.onPageError(complaints::add);
            page.onConsoleMessage(message -> {
                if (message.type().equals("error")) complaints.add(message.text());
            });
            page.onDialog(dialog -> complaints.add("a dialog: " + dialog.message()));
            page.onRequest(request -> {
                if (!request.url().startsWith(origin)) complaints.add("a request to " + request.url());
            });
            look.accept(page);
            complaints.removeIf(
                    text -> text.contains("Failed to load resource")); // Chromium tells of refused requests.
            assertThat(complaints).isEmpty();
        }
    }

    static void enter(Page page, String origin) {
        page.navigate(origin + "/studio");
        page.locator("#user").fill("me");
        page.locator("#password").fill("pass word");
        page.locator("#login button").click();
        assertThat(page.locator("#studio")).isVisible();
    }

    static void choose(Page page, String table) {
        page.locator("#objects button", new Page.LocatorOptions().setHasText(table))
                .click();
    }

    static Locator cell(Page page, int row, int column) {
        return page.locator("#grid tbody tr").nth(row).locator("td").nth(column);
    }

    @Test
    void cells_are_changed_by_keyboard_and_names_that_javascript_knows_are_names() {
        perigee.store().write(tx -> {
            tx.connection()
                    .exec("CREATE TABLE odd (k TEXT PRIMARY KEY, \"constructor\" TEXT, \"__proto__\" INTEGER, t TEXT)");
            tx.connection()
                    .exec(
                            "INSERT INTO odd VALUES (NULL, 'a', 1, 'one' || char(13, 10) || 'two'), (NULL, 'b', 2, NULL)");
            return true;
        });
        onThePage(origin(), page -> {
            enter(page, origin());
            choose(page, "odd");
            assertThat(page.locator("#grid tbody tr")).hasCount(2);
            cell(page, 0, 2).click();
            page.keyboard().press("ArrowDown");
            page.keyboard().press("Enter");
            page.keyboard().type("<i>b</i>");
            page.keyboard().press("Enter");
            page.keyboard().press("ArrowRight");
            page.keyboard().press("F2");
            page.keyboard().type("9223372036854775808");
            page.keyboard().press("Enter");
            assertThat(page.locator("#rows-error")).containsText("more than 64 bits");
            page.keyboard().press("ArrowRight");
            page.keyboard().press("Enter");
            page.keyboard().type("x");
            page.keyboard().press("Backspace");
            page.keyboard().press("Enter"); // An empty text, where NULL was.
            page.keyboard().press("ArrowUp");
            page.keyboard().press("Enter");
            page.keyboard().press("Enter"); // Looked at only.
            assertThat(page.locator("#staged")).containsText("2 changes");
            page.locator("#add").click();
            assertThat(page.locator("#grid tr.added")).containsText("default");
            cell(page, 0, 3).dblclick();
            page.keyboard().type("-9223372036854775808");
            page.keyboard().press("Enter");
            page.locator("#save").dblclick(); // Once is enough, twice changes nothing.
            assertThat(page.locator("#grid tbody tr")).hasCount(3);
            assertThat(page.locator("#save")).isHidden();
            assertThat(send(
                                    "POST",
                                    "/query/raw",
                                    "{\"sql\":\"SELECT k, constructor, \\\"__proto__\\\", hex(t) FROM odd ORDER BY rowid\"}",
                                    "Authorization",
                                    TOKEN)
                            .body())
                    .contains("\"rows\":[[null,\"a\",1,\"6F6E650D0A74776F\"],[null,\"<i>b</i>\",2,\"\"],"
                            + "[null,null,-9223372036854775808,\"\"]]");
        });
    }

    @Test
    void a_second_tap_changes_a_cell_and_its_button_makes_it_null() {
        onThePage(origin(), page -> {
            page.setViewportSize(390, 780);
            enter(page, origin());
            choose(page, "people");
            cell(page, 0, 2).tap();
            assertThat(page.locator("#grid textarea")).hasCount(0);
            page.waitForTimeout(1000); // Two taps at once are a double-click already.
            cell(page, 0, 2).tap();
            assertThat(page.locator("#grid textarea")).isFocused();
            picture(page, "studio-edit-narrow");
            page.locator("#grid td.editing button").tap();
            assertThat(cell(page, 0, 2)).hasText("NULL");
            assertThat(page.locator("#staged")).containsText("1 change");
        });
    }

    @Test
    void a_row_that_somebody_else_changed_meanwhile_is_not_overwritten() {
        onThePage(origin(), page -> {
            enter(page, origin());
            choose(page, "people");
            cell(page, 0, 2).dblclick();
            page.keyboard().type("mine");
            page.keyboard().press("Enter");
            perigee.store().write(tx -> {
                tx.connection().exec("UPDATE people SET \"na<b>me\" = 'theirs' WHERE id = 1");
                return true;
            });
            page.locator("#save").click();
            assertThat(page.locator("#rows-error")).containsText("Nothing was saved");
            assertThat(page.locator("#staged")).containsText("1 change"); // It is not lost.
            page.locator("#discard").click();
            page.locator("#where").fill("id = 1 -- by its key");
            page.locator("#filter button[type=submit]").click();
            assertThat(page.locator("#grid tbody tr")).hasCount(1);
            assertThat(cell(page, 0, 2)).hasText("theirs");
        });
    }

    @Test
    void a_statement_is_cancelled_and_mistakes_stay_to_be_read() {
        onThePage(origin(), page -> {
            enter(page, origin());
            page.locator("#sql")
                    .fill("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n");
            page.locator("#run").click();
            page.locator("#cancel").click();
            assertThat(page.locator("#error")).containsText("cancelled");
            page.locator("#sql").fill("\nCREATE TABLE people (x)");
            page.locator("#run").click();
            assertThat(page.locator("#error")).containsText("already exists");
            page.waitForTimeout(300);
            assertThat(page.locator("#error")).containsText("already exists");
            page.locator("#sql").fill("SELECT 1,\n  nothing FROM people");
            page.locator("#run").click();
            assertThat(page.locator("#error")).containsText("line 2, column 3");
            assertThat(page.evaluate("document.getElementById('sql').selectionStart"))
                    .isEqualTo(12);
            page.locator("#sql").fill("SELECT 1; DELETE FROM people");
            page.locator("#plan").click();
            assertThat(page.locator("#answers .plan").first()).isVisible();
            page.locator("#sql").fill("SELECT count(*) FROM people");
            page.locator("#run").click();
            assertThat(page.locator("#answers td").first()).hasText("2");
        });
    }

    @Test
    void a_plan_runs_none_of_its_statements() {
        SignedIn me = signIn();
        String body = query(
                        me,
                        "{\"sql\":\"SELECT * FROM people WHERE id = 1; -- and\\nDELETE FROM people WHERE big > 0\",\"plan\":true}")
                .body();
        assertThat(body).contains("SEARCH people", "SCAN people");
        assertThat(query(me, "{\"sql\":\"SELECT count(*) FROM people\"}").body())
                .contains("[[{\"i\":\"2\"}]]");
    }

    @Test
    void answers_of_many_statements_and_long_texts_have_one_bound_and_stay_whole_text() {
        SignedIn me = signIn();
        String many =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT i, hex(zeroblob(2000)) FROM n;";
        HttpResponse<String> answer = query(me, "{\"sql\":\"" + many.repeat(50) + "\"}");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body().length()).isBetween(1 << 20, 32 << 20);
        assertThat(answer.body()).contains("\"more\":true");
        // The 5000th character is the first half of a pair.
        HttpResponse<String> pair =
                query(me, "{\"sql\":\"SELECT printf('%.*c', 4999, 'x') || char(128512) || 'y' AS t\"}");
        assertThat(pair.statusCode()).isEqualTo(200);
        assertThat(pair.body()).contains("\"n\":5002");
    }

    @Test
    void a_row_that_is_not_as_it_was_shown_undoes_all_that_was_to_be_saved() {
        SignedIn me = signIn();
        String guard = "{\"sql\":\"SELECT perigee_studio_changed(changes())\",\"params\":[]}";
        HttpResponse<String> answer = query(
                me,
                "{\"statements\":[{\"sql\":\"DELETE FROM people WHERE id = 1\",\"params\":[]}," + guard
                        + ",{\"sql\":\"DELETE FROM people WHERE id = 99\",\"params\":[]}," + guard + "]}");
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(answer.body()).contains("Nothing was saved");
        assertThat(query(me, "{\"sql\":\"SELECT count(*) FROM people\"}").body())
                .contains("[[{\"i\":\"2\"}]]");
    }

    @Test
    void another_origin_is_refused_where_the_browser_says_no_more_than_that() {
        String body = "{\"user\":\"me\",\"password\":\"pass word\"}";
        for (String other : List.of("http://127.0.0.1:1", "http://elsewhere.test", "null")) {
            assertThat(send("POST", "/studio/login", body, "Origin", other).statusCode())
                    .isEqualTo(403);
        }
        assertThat(send("POST", "/studio/login", body, "Origin", origin()).statusCode())
                .isEqualTo(200);
        SignedIn me = signIn();
        assertThat(send(
                                "POST",
                                "/studio/query",
                                "{\"sql\":\"SELECT 1\"}",
                                "Cookie",
                                me.cookie(),
                                "X-Studio-Csrf",
                                me.csrf(),
                                "Origin",
                                "http://127.0.0.1:1")
                        .statusCode())
                .isEqualTo(403);
    }

    @Test
    void what_the_studio_does_is_an_admins_call_in_the_audit_log() throws Exception {
        send("POST", "/studio/login", "{\"user\":\"me\",\"password\":\"wrong\"}");
        SignedIn me = signIn();
        query(me, "{\"sql\":\"SELECT 1\"}");
        send("POST", "/studio/query", "{\"sql\":\"SELECT 1\"}"); // Of nobody.
        String kept;
        long end = System.nanoTime() + 60_000_000_000L;
        do {
            Thread.sleep(50);
            kept = send(
                            "POST",
                            "/query",
                            "{\"sql\":\"SELECT group_concat(path || ' ' || status, ', ') AS calls FROM tmp_audit_log"
                                    + " WHERE path LIKE '/studio%'\"}",
                            "Authorization",
                            TOKEN)
                    .body();
        } while (!kept.contains("/studio/query") && System.nanoTime() < end);
        assertThat(kept).contains("\"/studio/login 401, /studio/login 200, /studio/query 200\"");
    }

    @Test
    void the_cookie_is_secure_where_the_connection_is() throws Exception {
        String body = "{\"user\":\"me\",\"password\":\"pass word\"}";
        assertThat(send("POST", "/studio/login", body)
                        .headers()
                        .firstValue("Set-Cookie")
                        .orElseThrow())
                .doesNotContain("Secure");
        assertThat(send("POST", "/studio/login", body, "X-Forwarded-Proto", "https")
                        .headers()
                        .firstValue("Set-Cookie")
                        .orElseThrow())
                .contains("; Secure");
        TestCertificates authority = new TestCertificates(folder, "authority");
        Path certificate = authority.sign("one", "EC", "ip:127.0.0.1,dns:localhost");
        SurfaceConfig.Tls tls = new SurfaceConfig.Tls(certificate, folder.resolve("one.key"));
        perigee.close();
        perigee = open(
                new StudioConfig(Optional.of("me"), Optional.of("pass word")),
                "encrypted",
                new SurfaceConfig(List.of(), 1000, 60, true, Optional.of(tls), true));
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("https://127.0.0.1:%d/studio/login".formatted(perigee.port())))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        try (HttpClient https = HttpClient.newBuilder()
                .sslContext(TestCertificates.trusting(authority.root()))
                .build()) {
            HttpResponse<String> answer = https.send(request, BodyHandlers.ofString());
            assertThat(answer.headers().firstValue("Set-Cookie").orElseThrow()).contains("; Secure");
        }
    }

    @Test
    void who_is_not_signed_in_any_more_is_asked_again_with_the_originals_statuses_too() {
        perigee.close();
        perigee = open(
                new StudioConfig(Optional.of("me"), Optional.of("pass word")),
                "strict",
                new SurfaceConfig(List.of(), 1000, 60, true, Optional.empty(), true));
        onThePage(origin(), page -> {
            enter(page, origin());
            page.context().clearCookies();
            page.locator("#sql").fill("SELECT 1");
            page.locator("#run").click();
            assertThat(page.locator("#gate")).isVisible();
        });
    }

    private HttpResponse<String> query(SignedIn me, String body) {
        return send("POST", "/studio/query", body, "Cookie", me.cookie(), StudioHeaders.CSRF, me.csrf());
    }

    static void picture(Page page, String name) {
        page.waitForTimeout(200); // Colours change over a tenth of a second.
        page.screenshot(new Page.ScreenshotOptions().setPath(Path.of("target", "screenshots", name + ".png")));
    }

    private static final class StudioHeaders {
        static final String CSRF = "X-Studio-Csrf";
    }
}
