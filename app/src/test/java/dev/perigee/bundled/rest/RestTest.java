package dev.perigee.bundled.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.testing.Contract;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `/rest` on the replica, over HTTP as a client.
class RestTest {
    private static ServedPerigee perigee;

    @BeforeAll
    static void start(@TempDir Path folder) {
        perigee = ServedPerigee.open(folder);
    }

    @AfterAll
    static void stop() {
        perigee.close();
    }

    @BeforeEach
    void fill() {
        perigee.clear();
        perigee.execute(List.of(
                "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, city TEXT DEFAULT 'Oslo')",
                "INSERT INTO users VALUES (1,'Ann',30,'Rome'), (2,'Bob',40,NULL), (3,'Cy, \"x\"',50,'Bonn')",
                "CREATE TABLE seats (hall TEXT, seat INTEGER, who TEXT, PRIMARY KEY (hall, seat))",
                "INSERT INTO seats VALUES ('A',1,'Ann'), ('A',2,'Bob'), ('B,1',1,'Cy')",
                "CREATE TABLE big (id INTEGER PRIMARY KEY, n INTEGER, r REAL, b BLOB, g AS (n + 1))",
                "INSERT INTO big (id, n, r, b) VALUES (1, 9223372036854775807, 0.1, x'00ff')",
                "CREATE VIEW grown AS SELECT * FROM users WHERE age > 35",
                "CREATE TABLE \"odd/na?me\" (\"a.b\" TEXT, \"limit\" INTEGER)",
                "INSERT INTO \"odd/na?me\" VALUES ('x', 7)"));
    }

    @Test
    @Contract({"Kept: /rest takes a table, an id, and a schema before them", "Different: /rest/users works"})
    void a_table_a_row_and_a_schema_before_them_are_paths() {
        assertThat(names("/rest/users")).containsExactly("Ann", "Bob", "Cy, \"x\"");
        assertThat(names("/rest/users/2")).containsExactly("Bob");
        assertThat(names("/rest/main/users")).hasSize(3);
        assertThat(names("/rest/main/users/3")).containsExactly("Cy, \"x\"");
        assertThat(names("/rest/USERS/1")).containsExactly("Ann");
        assertThat(names("/rest/grown")).containsExactly("Bob", "Cy, \"x\"");
        assertThat(get("/rest/odd%2Fna%3Fme").result().get(0).get("a.b").asString())
                .isEqualTo("x");
        assertThat(get("/rest/nothing").status()).isEqualTo(404);
        assertThat(get("/rest/other/users").status()).isEqualTo(404);
        assertThat(get("/rest/users/99").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "n.lt=1e-5 | 1,6,7",
                "n.gt=1e-5 | 2,3,4,5,8",
                "n.gt=1e19 | 4,5,8",
                "n.lte=-1e19 | 6,7",
                "n.gt=-Infinity | 1,2,3,4,5,7,8",
                "n.lte=Infinity | 1,2,3,4,5,6,7",
                "n.gt=Infinity | 8",
                "n.gte=0 | 2,3,4,5,8",
                "n=1e1 | 3",
                "n=10.0 | 3",
                "n=.5 | 2",
                "n=Infinity | 4",
                "n=12345678901234567890.5 | 5",
                "n.gte=18446744073709551616 | 4,8",
                "n.in=1e1,-Infinity | 3,6",
                "f=Infinity | 4",
                "f.gte=Infinity | 4",
                "f.lt=Infinity | 1,2,3,5,6",
                "f=-Infinity | 6",
                "f.lt=1e400 | 1,2,3,5,6",
                "f=0.30000000000000004 | 2",
                "t=10.0 | 3",
                "t=1e1 | ''",
                "t.in=() | ''",
                "t.in=(%22%22) | 1",
                "t.in= | 1",
                "or=(t.in.(),id.eq.2) | 2",
                "t.like=100%5C%25 | 2",
                "t.like=100%25 | 2,4",
                "t.like=a%5C_b | 5",
                "t.like=a%5C%5Cb | 6",
                "t.eq=eq.5 | ''",
            })
    void numbers_are_compared_as_numbers_and_a_pattern_has_its_escape(String query, String expected) {
        perigee.query("CREATE TABLE odd (id INTEGER PRIMARY KEY, n, f REAL, t TEXT)");
        perigee.query(
                "INSERT INTO odd VALUES (1, -1, -1, ''), (2, 0.5, 0.30000000000000004, '100%'), (3, 10, 10, '10.0'),"
                        + " (4, 'Infinity', 9e999, '1000'), (5, '12345678901234567890.5', 5, 'a_b'), (6, -9e999, -9e999, 'a\\b'),"
                        + " (7, '-12345678901234567890.5', NULL, NULL), (8, 'NaN', NULL, NULL)");
        Reply answer = get("/rest/odd?select=id&sort_by=id&" + query);
        List<String> found = new ArrayList<>();
        for (JsonNode row : answer.result()) found.add(row.get("id").asString());
        assertThat(String.join(",", found)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"age=eq.5", "name=eq.Ann", "age=not.is.null", "age=in.(1,2)", "id=eq.1", "age=gte.3"})
    void another_products_operators_are_refused_with_ours(String query) {
        Reply answer = get("/rest/users?" + query);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).contains("Write the operator after the column", query.split("=")[0] + ".eq=5");
        assertThat(perigee.call("DELETE", "/rest/users?id=eq.1", "").status()).isEqualTo(400);
        assertThat(get("/rest/users?name.like=Ann%5C").status()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "name=Ann | 1",
                "name.eq=Ann | 1",
                "id=2 | 2",
                "age.ne=30 | 2,3",
                "age.gt=30 | 2,3",
                "age.lt=40 | 1",
                "age.gte=40 | 2,3",
                "age.lte=40 | 1,2",
                "name.like=%25o%25 | 2",
                "id.in=1,3 | 1,3",
                "id.in=(1,3) | 1,3",
                "city.is=null | 2",
                "city.is.null= | 2",
                "city.is=not.null | 1,3",
                "age.gt=30&city.is=null | 2",
                "or=(age.eq.30,city.is.null) | 1,2",
                "or=(name.eq.\"Cy, \"\"x\"\"\",age.eq.40) | 2,3",
                "NAME=Ann | 1",
                "age.gte=30&age.lt=50 | 1,2",
            })
    @Contract({
        "Kept: GET /rest filters with col=v and col.op=v, for eq ne gt lt gte lte like in",
        "Different: REST has is.null, select and count"
    })
    void conditions_mean_what_they_say(String query, String ids) {
        String encoded = query.replace("\"", "%22").replace(" ", "%20");
        List<String> found = new ArrayList<>();
        for (JsonNode row : get("/rest/users?" + encoded).result())
            found.add(row.get("id").asString());
        assertThat(String.join(",", found)).isEqualTo(ids);
    }

    @Test
    @Contract({
        "Kept: GET /rest sorts and pages with sort_by, order, limit, offset",
        "Different: REST has is.null, select and count"
    })
    void rows_are_sorted_paged_counted_and_cut_to_columns() {
        assertThat(names("/rest/users?sort_by=age&order=desc")).containsExactly("Cy, \"x\"", "Bob", "Ann");
        assertThat(names("/rest/users?sort_by=id&limit=1&offset=1")).containsExactly("Bob");
        assertThat(names("/rest/users?sort_by=city,id&order=asc,desc&offset=1")).hasSize(2);
        assertThat(get("/rest/users?select=name,id&limit=1").result().toString())
                .isEqualTo("[{\"name\":\"Ann\",\"id\":1}]");
        assertThat(get("/rest/users?count=true&age.gt=30").result().toString()).isEqualTo("[{\"count\":2}]");
        assertThat(get("/rest/odd%2Fna%3Fme?limit=7&a.b=x").result().size()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "name.foo=1",
                "nope=1",
                "nope.eq=1",
                "limit=-1",
                "limit=1;DROP TABLE users",
                "offset=x",
                "order=desc",
                "sort_by=nope",
                "sort_by=age&order=up",
                "select=nope",
                "select=id,(SELECT 1)",
                "age.is=5",
                "or=(age)",
                "or=(nope.eq.1)",
                "id.in=\"1",
                "count=7"
            })
    @Contract("Different: unknown REST operators are 400")
    void what_means_nothing_is_400_and_named(String query) {
        Reply reply = get("/rest/users?" + encode(query));
        assertThat(reply.status()).as(reply.text()).isEqualTo(400);
        assertThat(perigee.value("SELECT count(*) FROM users")).isEqualTo("3");
    }

    @Test
    @Contract({
        "Kept: POST /rest is 201 with the original's message and the row",
        "Different: int64, doubles and blobs are exact"
    })
    void rows_are_created_with_their_defaults_and_given_back() {
        Reply one = send("POST", "/rest/users", "{'name':'Dan','age':9007199254740993}");
        assertThat(one.status()).isEqualTo(201);
        assertThat(one.json().get("result").toString())
                .isEqualTo("{\"message\":\"Resource created successfully\",\"data\":"
                        + "{\"id\":4,\"name\":\"Dan\",\"age\":9007199254740993,\"city\":\"Oslo\"}}");
        Reply many = send("POST", "/rest/users", "[{'name':'E'},{'name':'F','city':null}]");
        assertThat(many.json().at("/result/data").size()).isEqualTo(2);
        assertThat(get("/rest/big/1").result().toString())
                .isEqualTo(
                        "[{\"id\":1,\"n\":9223372036854775807,\"r\":0.1,\"b\":\"AP8=\",\"g\":9.223372036854776E18}]");
        assertThat(send("POST", "/rest/users", "[{'name':'G'},{'age':1}]").status())
                .isEqualTo(409);
        assertThat(perigee.value("SELECT count(*) FROM users WHERE name = 'G'")).isEqualTo("0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "POST | /rest/users | {'nope':1} | 400",
                "POST | /rest/users | 5 | 400",
                "POST | /rest/users | [] | 400",
                "POST | /rest/users | {'name' | 400",
                "POST | /rest/users | {'id':1,'name':'again'} | 409",
                "POST | /rest/users/1 | {'name':'x'} | 405",
                "POST | /rest/big | {'g':1} | 400",
                "POST | /rest/big | {'n':9223372036854775808} | 400",
                "POST | /rest/tmp_alarms | {'owner':'x'} | 403",
                "PATCH | /rest/users/1 | {} | 400",
                "PATCH | /rest/users/99 | {'age':1} | 404",
                "PATCH | /rest/users | {'age':1} | 400",
                "PATCH | /rest/users?age=30 | {'age':1} | 400",
                "PATCH | /rest/users/1 | {'name':null} | 409",
                "PATCH | /rest/grown/1 | {'age':1} | 400",
                "DELETE | /rest/users | x | 400",
                "DELETE | /rest/users/99 | x | 404",
                "DELETE | /rest/seats/A | x | 400",
                "DELETE | /rest/seats?hall=A | x | 400",
                "DELETE | /rest/sqlite_schema/1 | x | 404",
            })
    @Contract({"Different: PATCH of a missing row is 404", "Different: composite keys are whole, or 400"})
    void mistakes_are_refused_and_change_nothing(String method, String path, String body, int status) {
        Reply reply = send(method, path, body);
        assertThat(reply.status()).as(reply.text()).isEqualTo(status);
        assertThat(perigee.value("SELECT group_concat(name || age || ifnull(city, '-')) FROM users"))
                .isEqualTo("Ann30Rome,Bob40-,Cy, \"x\"50Bonn");
        assertThat(perigee.value("SELECT count(*) FROM seats")).isEqualTo("3");
    }

    @Test
    @Contract({
        "Kept: PATCH, PUT and DELETE /rest are 200 with the original's messages",
        "Different: PUT replaces the row"
    })
    void a_row_is_changed_in_part_replaced_and_deleted() {
        assertThat(send("PATCH", "/rest/users/1", "{'age':31}").result().toString())
                .isEqualTo("{\"message\":\"Resource updated successfully\",\"data\":"
                        + "{\"id\":1,\"name\":\"Ann\",\"age\":31,\"city\":\"Rome\"}}");
        assertThat(send("PUT", "/rest/users/1", "{'name':'Anna'}").result().toString())
                .isEqualTo("{\"message\":\"Resource replaced successfully\",\"data\":"
                        + "{\"id\":1,\"name\":\"Anna\",\"age\":null,\"city\":\"Oslo\"}}");
        assertThat(send("DELETE", "/rest/users/1", "").result().toString())
                .isEqualTo("{\"message\":\"Resource deleted successfully\"}");
        assertThat(names("/rest/users")).containsExactly("Bob", "Cy, \"x\"");
    }

    @Test
    @Contract("Different: composite keys are whole, or 400")
    void a_composite_key_names_one_row_in_the_path_or_the_query() {
        assertThat(send("PATCH", "/rest/seats/A,2", "{'who':'Eve'}").status()).isEqualTo(200);
        assertThat(send("PATCH", "/rest/seats?hall=B%2C1&seat=1", "{'who':'Fay'}")
                        .status())
                .isEqualTo(200);
        assertThat(send("DELETE", "/rest/seats?seat=1&hall=A", "").status()).isEqualTo(200);
        assertThat(perigee.value("SELECT group_concat(hall || seat || who, ';') FROM seats"))
                .isEqualTo("A2Eve;B,11Fay");
    }

    /// The same conditions as SQL, on random rows, are the second opinion.
    @Test
    void random_conditions_find_the_rows_that_sql_finds() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        perigee.query("CREATE TABLE r (id INTEGER PRIMARY KEY, i INTEGER, t TEXT, d REAL)");
        for (int id = 1; id <= 60; id++) {
            perigee.query("INSERT INTO r VALUES (%d, %s, %s, %s)"
                    .formatted(
                            id,
                            random.nextInt(5) == 0 ? "NULL" : random.nextInt(8) - 3,
                            random.nextInt(5) == 0 ? "NULL" : "'" + random.nextInt(8) + "'",
                            random.nextInt(5) == 0 ? "NULL" : random.nextInt(16) / 4.0));
        }
        String[][] operators = {
            {"", "="}, {".eq", "="}, {".ne", "<>"}, {".gt", ">"}, {".lt", "<"}, {".gte", ">="}, {".lte", "<="}
        };
        for (int round = 0; round < 150; round++) {
            List<String> rest = new ArrayList<>();
            List<String> sql = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                String column = List.of("i", "t", "d").get(random.nextInt(3));
                String[] operator = operators[random.nextInt(operators.length)];
                int value = random.nextInt(8) - 2;
                rest.add(column + operator[0] + "=" + value);
                sql.add(column + " " + operator[1] + " " + (column.equals("t") ? "'" + value + "'" : value));
            }
            JsonNode seen = get("/rest/r?select=id&sort_by=id&" + String.join("&", rest))
                    .result();
            JsonNode expected = perigee.query("SELECT id FROM r WHERE " + String.join(" AND ", sql) + " ORDER BY id");
            assertThat(seen).as("seed %d: %s", seed, rest).isEqualTo(expected);
        }
    }

    private List<String> names(String path) {
        List<String> names = new ArrayList<>();
        for (JsonNode row : get(path).result()) names.add(row.get("name").asString());
        return names;
    }

    private static String encode(String query) {
        int equals = query.indexOf('=');
        return query.contains("&")
                ? query
                : query.substring(0, equals + 1)
                        + URLEncoder.encode(query.substring(equals + 1), StandardCharsets.UTF_8);
    }

    private Reply get(String path) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, "GET", path, "");
    }

    private Reply send(String method, String path, String body) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, method, path, body.replace('\'', '"'));
    }
}
