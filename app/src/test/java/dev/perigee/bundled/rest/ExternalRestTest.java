package dev.perigee.bundled.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestPostgres;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `/rest` on a real PostgreSQL.
class ExternalRestTest {
    @TempDir
    Path folder;

    @Test
    @Contract("Kept: X-Starbase-Source or ?source= says internal, external or hyperdrive")
    void the_external_database_has_the_same_interface_with_its_own_types_and_schemas() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE SCHEMA shop;
                    CREATE TYPE mood AS ENUM ('good', 'bad');
                    CREATE TABLE shop.users (
                        id uuid PRIMARY KEY, n int8, name varchar(3), at timestamptz DEFAULT '2024-01-01Z',
                        how mood, tags text[], doc jsonb, price numeric(12,2));
                    CREATE TABLE plain (a int, b int, v text DEFAULT 'x', PRIMARY KEY (a, b));
                    INSERT INTO plain VALUES (1, 1, 'one'), (1, 2, 'two')""");
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                String id = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
                Reply created = send(perigee, "POST", "/rest/shop/users?source=external", """
                        {'id':'%s','n':9223372036854775807,'name':'Ann','how':'good','tags':['a,b','c'],
                         'doc':{'k':[1]},'price':12.30}""".formatted(id));
                assertThat(created.status()).as(created.text()).isEqualTo(201);
                assertThat(created.json().at("/result/data/n").asString()).isEqualTo("9223372036854775807");
                assertThat(size(perigee, "/rest/shop/users?source=external&id=" + id))
                        .isEqualTo(1);
                assertThat(size(perigee, "/rest/shop/users/" + id + "?source=external"))
                        .isEqualTo(1);
                assertThat(size(perigee, "/rest/shop/users?source=hyperdrive&at.lt=2024-06-01T00:00:00Z&how=good"))
                        .isEqualTo(1);
                assertThat(size(perigee, "/rest/shop/users?source=external&price.gt=12.30"))
                        .isZero();
                assertThat(size(perigee, "/rest/plain?source=external&v.like=o%25&limit=5&offset=0"))
                        .isEqualTo(1);
                assertThat(send(perigee, "PATCH", "/rest/plain/1,2?source=external", "{'v':'TWO'}")
                                .status())
                        .isEqualTo(200);
                assertThat(send(perigee, "PUT", "/rest/public/plain/1,1?source=external", "{'a':1}")
                                .json()
                                .at("/result/data/v")
                                .asString())
                        .isEqualTo("x");
                assertThat(send(perigee, "DELETE", "/rest/plain/1,1?source=external", "")
                                .status())
                        .isEqualTo(200);
                assertThat(send(perigee, "DELETE", "/rest/plain/1,1?source=external", "")
                                .status())
                        .isEqualTo(404);
                assertThat(send(perigee, "PATCH", "/rest/shop/users/" + id + "?source=external", "{'name':'Anna'}")
                                .status())
                        .isEqualTo(400);
                assertThat(send(perigee, "GET", "/rest/shop/users?source=external&id=nonsense", "")
                                .status())
                        .isEqualTo(400);
                assertThat(send(perigee, "GET", "/rest/plain?source=external&select=v", "")
                                .result()
                                .toString())
                        .isEqualTo("[{\"v\":\"TWO\"}]");
            }
        }
    }

    @Test
    void each_type_comes_back_as_it_was_sent_and_finds_its_row() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE TYPE charge AS ENUM ('on', 'off');
                    CREATE DOMAIN small AS int CHECK (VALUE < 100);
                    CREATE TABLE "odd?na""me$1" (
                        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "limit" int, "a.b?" text, c char(3), b bit(3),
                        v varchar(3)[], i int[][], y bytea, m numeric, s small, e charge, t boolean, j json,
                        d date, double_id int GENERATED ALWAYS AS (1) STORED)""");
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                String table = "/rest/odd%3Fna%22me%241";
                Reply created = send(perigee, "POST", table + "?source=external", """
                        {'limit':1,'a.b?':'q','c':'ab','b':'101','v':['a',null,'c,d'.length],'i':[[1,2],[3,4]],
                         'y':'AP8=','m':1234567890123456789.123456789,'s':5,'e':'on','t':true,'j':{'k':'v'},
                         'd':'2024-02-29'}""".replace("'c,d'.length", "'c,d'"));
                assertThat(created.status()).as(created.text()).isEqualTo(201);
                String row = created.json().at("/result/data").toString();
                assertThat(row)
                        .contains("\"b\":\"101\"")
                        .contains("\"v\":\"[\\\"a\\\",null,\\\"c,d\\\"]\"")
                        .contains("\"i\":\"[[1,2],[3,4]]\"")
                        .contains("\"y\":\"AP8=\"")
                        .contains("1234567890123456789.123456789")
                        .contains("\"double_id\":1");
                for (String condition : List.of(
                        "id=1",
                        "limit.eq=1",
                        "a.b%3F=q",
                        "c=ab",
                        "b=101",
                        "y=AP8=",
                        "m=1234567890123456789.123456789",
                        "s.in=4,5",
                        "e=on",
                        "t=true",
                        "d.gte=2024-02-29",
                        "or=(id.eq.7,e.in.(on,off))",
                        "a.b%3F.like=%25",
                        "sort_by=v,a.b%3F,id&order=desc,asc&limit=1")) {
                    assertThat(size(perigee, table + "?source=external&" + condition))
                            .as(condition)
                            .isEqualTo(1);
                }
                for (String body : List.of(
                        "{'v':['abcd']}",
                        "{'c':'abcd'}",
                        "{'b':'1011'}",
                        "{'y':'?'}",
                        "{'m':1e400}",
                        "{'double_id':2}",
                        "{'d':'2024-02-30'}",
                        "{'a.b?':'\\u0000'}",
                        "{'nope':1}")) {
                    Reply refused = send(perigee, "PATCH", table + "/1?source=external", body);
                    assertThat(refused.status()).as(body + refused.text()).isEqualTo(400);
                }
                assertThat(send(perigee, "PATCH", table + "/1?source=external", "{'s':100}")
                                .status())
                        .isEqualTo(409);
                assertThat(send(perigee, "GET", table + "/1?source=external", "")
                                .result()
                                .get(0)
                                .toString())
                        .isEqualTo(row);
                assertThat(send(perigee, "PUT", table + "/1?source=external", "{'c':'x'}")
                                .json()
                                .at("/result/data/m")
                                .isNull())
                        .isTrue();
            }
        }
    }

    @Test
    void many_rows_are_created_together_or_not_at_all_and_values_are_no_sql() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'd', n int)");
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                Reply created =
                        send(perigee, "POST", "/rest/t?source=external", "[{'id':1},{'id':2,'v':null},{'n':3,'id':3}]");
                assertThat(created.json().at("/result/data").toString())
                        .isEqualTo("[{\"id\":1,\"v\":\"d\",\"n\":null},{\"id\":2,\"v\":null,\"n\":null},"
                                + "{\"id\":3,\"v\":\"d\",\"n\":3}]");
                Reply refused = send(perigee, "POST", "/rest/t?source=external", "[{'id':4},{'id':1}]");
                assertThat(refused.status()).as(refused.text()).isEqualTo(409);
                for (String query :
                        List.of("v=d'%20OR%201=1--", "v.like=x'%20OR%20'1'='1", "v.in=x'),(d", "v.gt=z'--")) {
                    assertThat(send(perigee, "GET", "/rest/t?source=external&" + query, "")
                                    .text())
                            .isIn("{\"result\":[]}", "{\"error\":\"\\\"x'),(d\\\" cannot be read\"}");
                }
                for (String query : List.of("sort_by=1", "id=1%20OR%201=1", "limit=1;SELECT%201", "select=version()")) {
                    assertThat(send(perigee, "GET", "/rest/t?source=external&" + query, "")
                                    .status())
                            .as(query)
                            .isEqualTo(400);
                }
                for (String path :
                        List.of("/rest/pg_catalog/pg_authid", "/rest/pg_shadow", "/rest/no/t", "/rest/t/1/2")) {
                    assertThat(send(perigee, "GET", path + "?source=external", "")
                                    .status())
                            .as(path)
                            .isEqualTo(404);
                }
                assertThat(size(perigee, "/rest/t?source=external")).isEqualTo(3);
                assertThat(send(perigee, "GET", "/rest/t?source=external&count=true&v.is=null", "")
                                .result()
                                .toString())
                        .isEqualTo("[{\"count\":1}]");
            }
        }
    }

    @Test
    void bytes_are_bytes_whatever_their_type_is_called_and_come_back_as_they_were_shown() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE SCHEMA vault;
                    CREATE DOMAIN sealed AS bytea CHECK (length(VALUE) < 100);
                    CREATE DOMAIN vault.secret AS sealed;
                    CREATE DOMAIN vault.many AS int[];
                    CREATE TABLE t (id int PRIMARY KEY, a bytea, b sealed, c vault.secret, d bytea[], e sealed[],
                        f vault.many, g jsonb[], h numeric[], i box[], j timestamptz[], k text[], l vault.secret[]);
                    CREATE TABLE was AS TABLE t;
                    INSERT INTO t VALUES (1, '\\x00ff', '\\x00ff', '\\x00ff', '{"\\\\x00ff",NULL,""}', '{{"\\\\x01"},{"\\\\x02"}}',
                        '[0:1]={1,2}', array['null'::jsonb, null, '"1"', '{"json": 1}', '[1]', '{"a": null}'],
                        '{1.50,NaN,12345678901234567890.123}', '{(1,1),(0,0);(2,2),(1,1)}',
                        '{2024-01-01 02:00+02,infinity}', '{"a,b",NULL,"NULL","","\\"\\\\"}', '{"\\\\xaa"}');
                    INSERT INTO was TABLE t;
                    ALTER DATABASE %s SET quote_all_identifiers = on""".formatted(postgres.database()));
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                String row = "/rest/t/1?source=external";
                JsonNode shown = send(perigee, "GET", row, "").result().get(0);
                assertThat(shown.toString())
                        .contains("'a':'AP8=','b':'AP8=','c':'AP8='".replace('\'', '"'))
                        .contains("\"d\":\"[\\\"AP8=\\\",null,\\\"\\\"]\"")
                        .contains("\"e\":\"[[\\\"AQ==\\\"],[\\\"Ag==\\\"]]\"")
                        .contains("\"j\":\"[\\\"2024-01-01T00:00:00.000000Z\\\",\\\"infinity\\\"]\"");
                for (String name : List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")) {
                    String asShown = "{\"%s\":%s}".formatted(name, shown.get(name));
                    String asJson = "{\"%s\":%s}"
                            .formatted(
                                    name,
                                    name.compareTo("d") < 0
                                            ? shown.get(name)
                                            : shown.get(name).asString());
                    for (String body : List.of(asShown, asJson)) {
                        Reply changed = perigee.call(ServedPerigee.CLIENT_TOKEN, "PATCH", row, body);
                        assertThat(changed.status()).as(body + changed.text()).isEqualTo(200);
                    }
                    boolean compares = !name.equals("i"); // a box has no equality
                    if (!compares) continue;
                    Reply found = send(
                            perigee,
                            "GET",
                            "/rest/t?source=external&" + name + "="
                                    + URLEncoder.encode(shown.get(name).asString(), StandardCharsets.UTF_8),
                            "");
                    assertThat(found.status()).as(name + found.text()).isEqualTo(200);
                    assertThat(found.result().size()).as(name).isEqualTo(1);
                }
                assertThat(perigee.call(
                                        ServedPerigee.TOKEN,
                                        "POST",
                                        "/query?source=external",
                                        "{'sql':'SELECT count(*) AS n FROM t JOIN was USING (id) WHERE t::text = was::text'}"
                                                .replace('\'', '"'))
                                .result()
                                .toString())
                        .isEqualTo("[{\"n\":1}]");
                for (String body : List.of("{'d':['?']}", "{'d':[1]}", "{'c':'?'}", "{'e':'[[1],2]'}")) {
                    assertThat(send(perigee, "PATCH", row, body).status())
                            .as(body)
                            .isEqualTo(400);
                }
            }
        }
    }

    @Test
    void times_out_of_the_ordinary_and_numbers_come_back_as_they_were_shown() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE TABLE t (id int PRIMARY KEY, a date, b timestamptz, c timestamp, d time, e timetz,
                        f interval, g float8, h float4, i numeric, j timestamptz[]);
                    INSERT INTO t VALUES
                        (1, '0044-03-15 BC', '0044-03-15 12:00Z BC', '0001-03-15 12:00:00.5 BC', '24:00', '04:05+05:30:07',
                         '-1 mon +2 days -3 hours', 'Infinity', '1e-45', '1e400', '{0044-03-15 12:00Z BC}'),
                        (2, '12024-02-29', '12024-02-29 12:00Z', '12024-02-29', '00:00', '00:00-12', '0', 'NaN', 'NaN',
                         'Infinity', '{12024-02-29 12:00Z}'),
                        (3, 'infinity', '-infinity', 'infinity', '12:00', '12:00Z', 'P1Y', '5e-324', '-Infinity', 'NaN',
                         '{infinity}'),
                        (4, '0001-12-31 BC', '9999-12-31 23:59:59.999999Z', '0001-01-01', '12:00', '12:00Z', 'P1Y',
                         '0.30000000000000004', '0.1', '12345678901234567890.50', '{}');
                    CREATE TABLE was AS TABLE t""");
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                for (JsonNode row :
                        send(perigee, "GET", "/rest/t?source=external", "").result()) {
                    Reply changed =
                            perigee.call(ServedPerigee.CLIENT_TOKEN, "PUT", "/rest/t?source=external", row.toString());
                    assertThat(changed.status()).as(row + changed.text()).isEqualTo(200);
                    for (String name : List.of("a", "b", "c")) {
                        String path = "/rest/t?source=external&%s=%s&id=%s"
                                .formatted(
                                        name,
                                        URLEncoder.encode(row.get(name).asString(), StandardCharsets.UTF_8),
                                        row.get("id"));
                        assertThat(size(perigee, path)).as(path).isEqualTo(1);
                    }
                }
                assertThat(perigee.call("POST", "/query?source=external", "{'sql':'TABLE t EXCEPT TABLE was'}")
                                .text())
                        .isEqualTo("{\"result\":[]}");
                Reply changed = send(perigee, "PATCH", "/rest/t/4?source=external", "{'i':1.500}");
                assertThat(changed.status()).isEqualTo(200);
                assertThat(perigee.call(
                                        "POST",
                                        "/query?source=external",
                                        "{'sql':'SELECT i::text FROM t WHERE id = 4'}")
                                .text())
                        .isEqualTo("{\"result\":[{\"i\":\"1.500\"}]}");
            }
        }
    }

    @Test
    void values_compare_by_their_types_own_operators_wherever_its_schema_is() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE SCHEMA ext; CREATE SCHEMA types;
                    CREATE EXTENSION citext SCHEMA ext;
                    CREATE EXTENSION ltree SCHEMA ext;
                    CREATE DOMAIN types.email AS ext.citext;
                    CREATE TYPE types.mood AS ENUM ('ok', 'good');
                    CREATE TABLE t (id ext.citext PRIMARY KEY, path ext.ltree, mail types.email, mood types.mood,
                        tags ext.citext[]);
                    INSERT INTO t VALUES ('Ann', 'a.b', 'Ann@b.c', 'ok', '{A}'), ('Bob', 'a.c', 'Bob@b.c', 'good', '{B}')
                    """);
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                for (String condition : List.of(
                        "id=ANN",
                        "id.in=ann,nobody",
                        "id.ne=BOB",
                        "id.lt=B",
                        "path=a.b",
                        "path.lt=a.c",
                        "path.ne=a.c",
                        "mail=ANN@B.C",
                        "mood.lt=good",
                        "tags=%5B%22a%22%5D",
                        "or=(id.eq.ANN,path.eq.x)")) {
                    Reply found = send(perigee, "GET", "/rest/t?source=external&" + condition, "");
                    assertThat(found.status()).as(condition + found.text()).isEqualTo(200);
                    assertThat(found.result().size()).as(condition).isEqualTo(1);
                }
                assertThat(size(perigee, "/rest/t/ANN?source=external")).isEqualTo(1);
                assertThat(send(perigee, "PATCH", "/rest/t/ANN?source=external", "{'path':'x.y'}")
                                .status())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void a_list_without_values_and_semicolons_at_the_end_mean_the_same_on_both_databases() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute(
                    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, ''), (2, 'a%'), (3, 'ab')");
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                perigee.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
                perigee.query("INSERT INTO t VALUES (1, ''), (2, 'a%'), (3, 'ab')");
                for (String query :
                        List.of("v.in=()", "v.in=(%22%22)", "v.like=a%5C%25", "v.like=a%25", "or=(v.in.())")) {
                    assertThat(send(perigee, "GET", "/rest/t?source=external&" + query, "")
                                    .text())
                            .as(query)
                            .isEqualTo(
                                    send(perigee, "GET", "/rest/t?" + query, "").text())
                            .startsWith("{\"result\"");
                }
                assertThat(size(perigee, "/rest/t?source=external&v.in=()")).isZero();
                for (String query : List.of("v.like=a%5C", "id=eq.1", "v=eq.a")) {
                    assertThat(send(perigee, "GET", "/rest/t?source=external&" + query, "")
                                    .status())
                            .as(query)
                            .isEqualTo(400);
                }
                for (String where : List.of("", "?source=external")) {
                    assertThat(perigee.call("POST", "/query" + where, "{'sql':'select 1 as a; ;-- x\\n;'}")
                                    .text())
                            .isEqualTo("{\"result\":[{\"a\":1}]}");
                }
            }
        }
    }

    @Test
    void a_cast_names_no_length_and_cuts_nothing() {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("""
                    CREATE SCHEMA "a(3)";
                    CREATE DOMAIN "a(3)"."b""(1)" AS varchar(3);
                    CREATE TABLE t (id int PRIMARY KEY, a varchar(3), b char(3), c bit(3), d numeric(3, 1),
                        e "a(3)"."b""(1)", f varchar(3)[], g bit(3)[], h timestamp(3) with time zone);
                    INSERT INTO t VALUES (1)""");
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                for (String body : List.of(
                        "{'a':'abcd'}",
                        "{'b':'abcd'}",
                        "{'c':'1011'}",
                        "{'d':1234.5}",
                        "{'e':'abcd'}",
                        "{'f':['abcd']}",
                        "{'g':['1011']}")) {
                    Reply refused = send(perigee, "PATCH", "/rest/t/1?source=external", body);
                    assertThat(refused.status()).as(body + refused.text()).isEqualTo(400);
                }
                Reply kept = send(perigee, "PATCH", "/rest/t/1?source=external", """
                        {'a':'abc','b':'abc','c':'101','d':12.5,'e':'abc','f':['abc'],'g':['101'],
                         'h':'2024-01-01T00:00:00.123Z'}""");
                assertThat(kept.status()).as(kept.text()).isEqualTo(200);
            }
        }
    }

    private static int size(ServedPerigee perigee, String path) {
        return send(perigee, "GET", path, "").result().size();
    }

    private static Reply send(ServedPerigee perigee, String method, String path, String body) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, method, path, body.replace('\'', '"'));
    }
}
