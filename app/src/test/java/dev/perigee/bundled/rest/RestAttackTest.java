package dev.perigee.bundled.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.config.QueryConfig;
import dev.perigee.testing.Contract;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `/rest` for those who send what it was not made for, and for tables that are not made as usual.
class RestAttackTest {
    private static ServedPerigee perigee;

    @BeforeAll
    static void start(@TempDir Path folder) {
        QueryConfig base = QueryConfig.defaults();
        perigee = ServedPerigee.open(
                folder,
                new QueryConfig(
                        base.limits().readLimit(),
                        Duration.ofMinutes(1), // The largest takes long on a busy machine.
                        base.limits().maxStatementBytes(),
                        base.limits().maxRows(),
                        base.limits().maxTransactionStatements(),
                        base.limits().maxWriteBytes()));
    }

    @AfterAll
    static void stop() {
        perigee.close();
    }

    @BeforeEach
    void fill() {
        perigee.clear();
        perigee.execute(List.of(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INTEGER)",
                "INSERT INTO t VALUES (1, 'x', 1), (2, 'y''; DROP TABLE t; --', 2), (3, '5', 5)",
                "CREATE TABLE pair (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (b, a))",
                "INSERT INTO pair VALUES ('x,1', 1, 'one'), ('x', 1, 'two'), ('y', 2, 'three')"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a=x' OR '1'='1",
                "a.eq=x\" OR 1=1 --",
                "a.in=x'),(SELECT 1)--",
                "or=(a.eq.x' OR 1=1 --,a.like.')",
                "a.like=x' OR 1=1",
                "a.gt=zzz' OR 1=1",
                "n.in=1) OR (1=1",
            })
    void text_of_sql_in_a_value_is_a_value(String query) {
        Reply reply = get("/rest/t?" + encoded(query));
        if (reply.status() == 400) return; // An `in` list that is not one.
        assertThat(reply.result().size()).as(reply.text()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a\"=\"a=1",
                "1=1) OR (1=1",
                "a) --=x",
                "a.eq) OR 1=1 --=x",
                "a.eq.eq=x",
                ".eq=x",
                "a.=x",
                "=x",
                "rowid=1",
                "sort_by=a; DROP TABLE t",
                "sort_by=(SELECT 1)",
                "sort_by=1",
                "sort_by=a&order=desc, n",
                "sort_by=a&order=desc NULLS FIRST",
                "sort_by=",
                "select=",
                "select=a,",
                "select=count(*)",
                "select=a AS b",
                "limit=-1",
                "limit=1e3",
                "limit=0x10",
                "limit=99999999999999999999",
                "limit=1&limit=2",
                "limit=",
                "offset=-5",
                "offset=1 UNION SELECT 1",
                "select=a&select=n",
                "count=true&select=nope",
                "count=true&sort_by=nope",
                "or=()",
                "or=(a.eq.1",
                "or=(a.eq.1))",
                "or=(a.eq.1)x",
                "or=(a.nope.1)",
                "or=(a.in.1,2)",
                "or=(a.in.(1,2)",
                "or=(a.eq.\"1)",
                "or=(a.eq.\"1\"x)",
                "or=(or(or(or(or(or(or(or(or(or(or(or(a.eq.1))))))))))))",
                "a.is=NULL OR 1=1",
                "a.is.null=x",
                "schema=temp",
            })
    @Contract({"Different: unknown REST operators are 400"})
    void what_is_no_name_no_number_and_no_word_is_400(String query) {
        Reply reply = get("/rest/t?" + encoded(query));
        assertThat(reply.status()).as(reply.text()).isEqualTo(400);
        assertThat(perigee.value("SELECT count(*) FROM t")).isEqualTo("3");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/rest/t%22%20WHERE%201=1",
                "/rest/t;DROP TABLE t",
                "/rest/temp/t",
                "/rest/temp/t/1",
                "/rest/pragma_table_list",
                "/rest/sqlite_master",
                "/rest/json_each",
                "/rest/dbstat",
                "/rest/main/main/t",
                "/rest/t/",
                "/rest/",
                "/rest/t/1/2/3",
                "/rest/t/1%20OR%201=1",
                "/rest/t/1'",
                "/rest/../rest/nope",
            })
    void a_path_that_names_nothing_is_404(String path) {
        assertThat(get(path.replace(" ", "%20")).status()).isIn(400, 404);
        assertThat(perigee.value("SELECT count(*) FROM t")).isEqualTo("3");
    }

    @Test
    void clients_learn_nothing_of_perigees_own_tables() {
        for (String path : List.of(
                "/rest/tmp_alarms",
                "/rest/TMP_alarms?nope=1",
                "/rest/main/tmp_alarms/1",
                "/rest/tmp_alarms?count=true")) {
            Reply reply = get(path);
            assertThat(reply.status()).as(path).isEqualTo(403);
            assertThat(reply.text()).isEqualTo("{\"error\":\"The table \\\"tmp_alarms\\\" is for admins only.\"}");
        }
        assertThat(perigee.call("GET", "/rest/tmp_alarms", "").status()).isEqualTo(200);
    }

    @Test
    void nobody_without_a_token_gets_rows() {
        assertThat(perigee.call("nonsense", "GET", "/rest/t", "").status()).isEqualTo(401);
        assertThat(perigee.call("nonsense", "DELETE", "/rest/t/1", "").status()).isEqualTo(401);
        assertThat(perigee.value("SELECT count(*) FROM t")).isEqualTo("3");
    }

    @Test
    void a_request_has_a_bounded_number_of_values() {
        assertThat(get("/rest/t?n.in=" + "1,".repeat(899) + "1").status()).isEqualTo(200);
        assertThat(get("/rest/t?" + "n=1&".repeat(900)).status()).isEqualTo(200);
        assertThat(get("/rest/t?n.in=" + "1,".repeat(900) + "1").status()).isEqualTo(413);
        assertThat(get("/rest/t?" + "n.is=null&".repeat(901)).status()).isEqualTo(413);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "or=(id.in.(1,2),a.eq.5) | 1,2,3",
                "or=(and(id.gt.1,n.lt.5),id.eq.1) | 1,2",
                "or=id.eq.1,id.eq.3 | 1,3",
                "or=(id.eq.1,id.eq.2)&or=(n.eq.2,n.eq.5) | 2",
                "or=(\"a\".eq.\"5\",\"n\".eq.1) | 1,3",
                "a.in=\"5\", x | 1,3",
                "a=5 | 3",
                "n=5.0 | 3",
                "select=id,a&a=5 | 3",
                "limit=0 | ",
                "limit=2&offset=999999999999999999 | ",
            })
    @Contract("Kept: GET /rest filters with col=v and col.op=v, for eq ne gt lt gte lte like in")
    void groups_lists_and_quotes_nest(String query, String ids) {
        List<String> found = new ArrayList<>();
        for (JsonNode row : get("/rest/t?sort_by=id&" + encoded(query)).result())
            found.add(row.get("id").asString());
        assertThat(String.join(",", found)).isEqualTo(ids == null ? "" : ids);
    }

    @Test
    @Contract("Different: composite keys are whole, or 400")
    void part_of_a_key_is_never_a_key() {
        for (String path :
                List.of("/rest/pair/1", "/rest/pair?b=1", "/rest/pair/1,x,y", "/rest/pair/1,x?b=2", "/rest/pair")) {
            for (String method : List.of("PATCH", "PUT", "DELETE")) {
                Reply reply = perigee.call(ServedPerigee.CLIENT_TOKEN, method, path, "{\"v\":\"z\"}");
                assertThat(reply.status()).as(method + path + reply.text()).isEqualTo(400);
            }
        }
        assertThat(get("/rest/pair/1").text()).contains("Missing primary key value for 'a'");
        assertThat(perigee.value("SELECT group_concat(v) FROM pair")).isEqualTo("one,two,three");
        assertThat(get("/rest/pair/1,%22x,1%22").result().toString())
                .isEqualTo("[{\"a\":\"x,1\",\"b\":1,\"v\":\"one\"}]");
        assertThat(send("PATCH", "/rest/pair", "{'b':2,'a':'y','v':'3'}")
                        .result()
                        .at("/data/v")
                        .asString())
                .isEqualTo("3");
        assertThat(send("DELETE", "/rest/pair/1,x", "").status()).isEqualTo(200);
        assertThat(perigee.value("SELECT group_concat(v) FROM pair")).isEqualTo("one,3");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PATCH | {'id':2,'a':'z'} | different values for \\\"id\\\"",
                "PUT | {'id':2,'a':'z'} | different values for \\\"id\\\"",
                "PATCH | {'id':1} | No updatable data provided",
                "PATCH | {} | No data provided",
                "PUT | {} | No data provided",
                "PATCH | [] | Invalid data format",
                "PATCH | 5 | Invalid data format",
                "PUT | {'n':1e999999999} | out of range",
                "PATCH | {'n':9223372036854775808} | out of range",
                "PATCH | {'a':'x','A':'y'} | given twice",
                "PATCH | {'n':1e400} | out of range",
                "PATCH | {'n':1e99999999999} | out of range",
                "PATCH | {'n':1e-99999999999} | out of range",
                "PATCH | {'a) = 1 --':1} | has no column",
            })
    void a_body_that_says_something_else_than_the_address_is_refused(String method, String body, String said) {
        Reply reply = send(method, "/rest/t/1", body);
        assertThat(reply.status()).as(reply.text()).isEqualTo(400);
        assertThat(reply.text()).contains(said);
        assertThat(perigee.value("SELECT group_concat(id || a || n) FROM t WHERE id < 2"))
                .isEqualTo("1x1");
    }

    @Test
    void a_key_in_the_body_may_repeat_the_one_of_the_address() {
        assertThat(send("PATCH", "/rest/t/1", "{'id':1,'a':'z'}").status()).isEqualTo(200);
        assertThat(send("PUT", "/rest/t/1", "{'id':'1','a':'w'}")
                        .result()
                        .get("data")
                        .toString())
                .isEqualTo("{\"id\":1,\"a\":\"w\",\"n\":null}");
    }

    @Test
    @Contract("Different: PUT replaces the row")
    void put_takes_each_kind_of_default_as_an_insert_does() {
        perigee.query("""
                CREATE TABLE d (id INTEGER PRIMARY KEY, name TEXT, a DEFAULT "name", b DEFAULT word, c DEFAULT 'it''s',
                  d DEFAULT (1 + 1 -- two
                  ), e DEFAULT -5, f DEFAULT TRUE, g DEFAULT x'00ff', h AS (d + 1))""");
        String inserted = send("POST", "/rest/d", "{'id':1,'name':'n'}")
                .json()
                .at("/result/data")
                .toString();
        assertThat(inserted)
                .isEqualTo("{\"id\":1,\"name\":\"n\",\"a\":\"name\",\"b\":\"word\",\"c\":\"it's\",\"d\":2,\"e\":-5,"
                        + "\"f\":1,\"g\":\"AP8=\",\"h\":3}");
        perigee.query("UPDATE d SET a=0,b=0,c=0,d=0,e=0,f=0,g=0");
        assertThat(send("PUT", "/rest/d/1", "{'name':'n'}").result().get("data").toString())
                .isEqualTo(inserted);
    }

    @Test
    void bytes_go_and_come_in_base64_and_find_their_row() {
        perigee.query("CREATE TABLE bytes (k BLOB PRIMARY KEY, v BLOB)");
        assertThat(send("POST", "/rest/bytes", "{'k':'AP8=','v':'AQID'}").status())
                .isEqualTo(201);
        assertThat(perigee.value("SELECT hex(k) || typeof(v) FROM bytes")).isEqualTo("00FFblob");
        assertThat(get("/rest/bytes/AP8=").result().size()).isEqualTo(1);
        assertThat(get("/rest/bytes?v=AQID").result().size()).isEqualTo(1);
        assertThat(send("PATCH", "/rest/bytes/AP8=", "{'v':'no base64'}").status())
                .isEqualTo(400);
    }

    @Test
    void columns_without_a_type_compare_numbers_as_numbers_and_text_as_text() {
        perigee.query("CREATE TABLE u (k PRIMARY KEY, v, done BOOLEAN)");
        perigee.query("INSERT INTO u VALUES (1, 5, 1), ('a', '5', 0), (3, 5.5, 1), (9007199254740993, 'x', NULL)");
        assertThat(get("/rest/u?v=5").result().size()).isEqualTo(2);
        assertThat(get("/rest/u?v.ne=5").result().size()).isEqualTo(2);
        assertThat(get("/rest/u?v=5.5").result().size()).isEqualTo(1);
        assertThat(get("/rest/u?done=true").result().size()).isEqualTo(2);
        assertThat(get("/rest/u?done=false").result().size()).isEqualTo(1);
        assertThat(get("/rest/u/a").result().size()).isEqualTo(1);
        assertThat(get("/rest/u/9007199254740993").result().size()).isEqualTo(1);
        assertThat(get("/rest/u/9007199254740992").status()).isEqualTo(404);
    }

    @Test
    void a_table_without_a_key_has_its_rowid_whatever_its_columns_are_called() {
        perigee.query("CREATE TABLE k (rowid TEXT, \"é\" TEXT, \"É\" TEXT, \"limit\" INTEGER, \"count\" INTEGER)");
        perigee.query("INSERT INTO k VALUES ('a', 'small', 'large', 1, 7), ('b', 's', 'l', 2, 8)");
        assertThat(get("/rest/k/2?select=rowid,_rowid_").result().toString())
                .isEqualTo("[{\"rowid\":\"b\",\"_rowid_\":2}]");
        assertThat(get("/rest/k?select=%C3%89&%C3%A9=small").result().toString())
                .isEqualTo("[{\"É\":\"large\"}]");
        assertThat(get("/rest/k?limit=1&limit.eq=2&select=limit").result().toString())
                .isEqualTo("[{\"limit\":2}]");
        assertThat(get("/rest/k?count=true&count.eq=7").result().toString()).isEqualTo("[{\"count\":1}]");
        assertThat(get("/rest/k?count=7").status()).isEqualTo(400);
        assertThat(send("DELETE", "/rest/k/1", "").status()).isEqualTo(200);
        assertThat(perigee.value("SELECT group_concat(rowid) FROM k")).isEqualTo("b");
    }

    @Test
    void what_was_changed_by_others_is_seen_at_once_by_every_reader() {
        for (int i = 0; i < 6; i++) {
            // At once, so that each of the readers has seen the schema as it was.
            IntStream.range(0, 32)
                    .parallel()
                    .forEach(_ -> assertThat(get("/rest/t").status()).isEqualTo(200));
            perigee.query("ALTER TABLE t ADD COLUMN c%d INTEGER DEFAULT %d".formatted(i, i));
            String path = "/rest/t?select=c%d&c%d=%d&limit=1".formatted(i, i, i);
            String expected = "{\"result\":[{\"c%d\":%d}]}".formatted(i, i);
            IntStream.range(0, 32)
                    .parallel()
                    .forEach(_ -> assertThat(get(path).text()).isEqualTo(expected));
        }
    }

    @Test
    void head_has_no_body_and_other_methods_are_told() throws Exception {
        HttpResponse<String> head = exchange("HEAD", "/rest/t/1", "");
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(exchange("HEAD", "/rest/t/99", "").statusCode()).isEqualTo(404);
        for (String path : List.of("/rest/t/1", "/rest/main/t/1")) {
            HttpResponse<String> post = exchange("POST", path, "{\"a\":\"b\"}");
            assertThat(post.statusCode()).as(post.body()).isEqualTo(405);
            assertThat(post.headers().firstValue("Allow").orElse(""))
                    .contains("GET")
                    .contains("PATCH")
                    .doesNotContain("POST");
        }
        assertThat(exchange("POST", "/rest/t?a=1", "{\"a\":\"b\"}").statusCode())
                .isEqualTo(400);
    }

    @Test
    void a_row_of_any_size_is_streamed() {
        perigee.query("CREATE TABLE large (id INTEGER PRIMARY KEY, b BLOB, n INTEGER)");
        perigee.query("INSERT INTO large VALUES (1, zeroblob(30000000), 1)");
        assertThat(get("/rest/large/1").text()).hasSizeGreaterThan(40_000_000);
        // A write answers from memory, which has a bound, and is undone where it would pass that.
        Reply reply = send("PATCH", "/rest/large/1", "{'n':2}");
        assertThat(reply.status()).isEqualTo(413);
        assertThat(perigee.value("SELECT n FROM large")).isEqualTo("1");
    }

    private HttpResponse<String> exchange(String method, String path, String body) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                            .header("Authorization", "Bearer " + ServedPerigee.CLIENT_TOKEN)
                            .header("Content-Type", "application/json")
                            .method(method, BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    /// Each parameter's name and value.
    private static String encoded(String query) {
        List<String> parts = new ArrayList<>();
        for (String part : query.split("&", -1)) {
            boolean isWhole = part.startsWith("a\"=\"a=") || part.startsWith("1=1)");
            int equals = isWhole ? part.lastIndexOf('=') : part.indexOf('=');
            parts.add(encode(part.substring(0, equals)) + "=" + encode(part.substring(equals + 1)));
        }
        return String.join("&", parts);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private Reply get(String path) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, "GET", path, "");
    }

    private Reply send(String method, String path, String body) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, method, path, body.replace('\'', '"'));
    }
}
