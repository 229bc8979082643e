package dev.perigee.bundled.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    void types_are_cast_to_without_what_would_cut_a_value() {
        assertThat(RestCatalog.castType("numeric(12,2)")).isEqualTo("numeric");
        assertThat(RestCatalog.castType("character varying(3)[]")).isEqualTo("character varying[]");
        assertThat(RestCatalog.castType("timestamp(3) with time zone")).isEqualTo("timestamp with time zone");
        assertThat(RestCatalog.castType("character(3)")).isEqualTo("bpchar");
        assertThat(RestCatalog.castType("bit(3)[]")).isEqualTo("bit varying[]");
        assertThat(RestCatalog.castType("\"a(3)\".\"b\"\"(1)\"")).isEqualTo("\"a(3)\".\"b\"\"(1)\"");
    }

    private static int size(ServedPerigee perigee, String path) {
        return send(perigee, "GET", path, "").result().size();
    }

    private static Reply send(ServedPerigee perigee, String method, String path, String body) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, method, path, body.replace('\'', '"'));
    }
}
