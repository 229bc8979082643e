package dev.perigee.bundled.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.testing.Contract;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
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

    private static int size(ServedPerigee perigee, String path) {
        return send(perigee, "GET", path, "").result().size();
    }

    private static Reply send(ServedPerigee perigee, String method, String path, String body) {
        return perigee.call(ServedPerigee.CLIENT_TOKEN, method, path, body.replace('\'', '"'));
    }
}
