package dev.perigee.serve;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import dev.perigee.Perigee;
import dev.perigee.config.BundledConfig;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.StudioConfig;
import dev.perigee.testing.Contract;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        return Perigee.open(new PerigeeConfig(
                        StoreConfig.of(folder.resolve(name)),
                        ServeConfig.of(0, TOKEN),
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
        Optional<Path> chromium = PageTest.chromium();
        assumeTrue(chromium.isPresent(), "there is no Chromium in PATH: the studio's page is not tested");
        try (Playwright playwright = Playwright.create(
                        new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
                Browser browser = playwright
                        .chromium()
                        .launch(new BrowserType.LaunchOptions()
                                .setExecutablePath(chromium.get())
                                .setArgs(PageTest.ARGUMENTS));
                BrowserContext context = browser.newContext()) {
            List<String> complaints = new ArrayList<>();
            Page page = context.newPage();
            page.onPageError(complaints::add);
            page.onConsoleMessage(message -> {
                if (message.type().equals("error")) complaints.add(message.text());
            });
            page.onDialog(dialog -> complaints.add("a dialog: " + dialog.message()));
            page.onRequest(request -> {
                if (!request.url().startsWith(origin())) complaints.add("a request to " + request.url());
            });
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
            complaints.removeIf(
                    text -> text.contains("401") || text.contains("400")); // Chromium tells of refused requests
            assertThat(complaints).isEmpty();
        }
    }

    private static void picture(Page page, String name) {
        page.screenshot(new Page.ScreenshotOptions().setPath(Path.of("target", "screenshots", name + ".png")));
    }

    private static final class StudioHeaders {
        static final String CSRF = "X-Studio-Csrf";
    }
}
