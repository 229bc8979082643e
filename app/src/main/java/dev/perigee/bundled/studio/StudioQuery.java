package dev.perigee.bundled.studio;

import dev.perigee.bundled.transfer.SqlStatements;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Query;
import dev.perigee.statement.SqlStatement;
import dev.perigee.statement.StatementCall.Where;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// Reads the page's requests: `{"sql": "…; …", "plan", "source"}`, or `{"statements": [{"sql", "params"}], "source"}`.
/// Several statements run as one transaction. With `plan` none of them runs: each is explained.
final class StudioQuery {
    private static final int MAX_STATEMENTS = 1000;

    private static final Pattern NOT_SQLITE = Pattern.compile("\\$\\w*\\$|\\[");

    private StudioQuery() {}

    static Query of(JsonNode body) {
        Where where = Where.of(Optional.empty(), Optional.of(body.path("source").asString("internal")));
        List<SqlStatement> statements = new ArrayList<>();
        for (JsonNode each : body.path("statements")) {
            List<Value> values = new ArrayList<>();
            each.path("params").forEach(value -> values.add(value(value)));
            statements.add(new SqlStatement(each.path("sql").asString(""), values, Map.of()));
        }
        boolean isPlan = body.path("plan").asBoolean(false);
        if (statements.isEmpty()) {
            String sql = body.path("sql").asString("");
            List<String> texts = split(sql, where);
            for (String text : texts) {
                if (isPlan) statements.add(SqlStatement.of(plan(text, where)));
                // A single statement stays as it was typed, so that a mistake's line and column are those of the
                // editor.
                else statements.add(SqlStatement.of(texts.size() == 1 ? sql : text));
            }
        }
        if (statements.isEmpty()) throw Fault.INVALID_REQUEST.saying("There is no statement to run.");
        if (statements.size() > MAX_STATEMENTS) {
            throw Fault.TOO_LARGE.saying("At most %d statements run at once.".formatted(MAX_STATEMENTS));
        }
        return new Query(statements, where, true, Caller.ADMIN);
    }

    private static String plan(String sql, Where where) {
        // What follows a semicolon would run instead of being explained.
        if (where == Where.EXTERNAL
                && NOT_SQLITE.matcher(sql).find()
                && sql.strip().replaceFirst(";$", "").contains(";")) {
            throw Fault.INVALID_REQUEST.saying(
                    "The plan of this text cannot be shown: leave one statement, without \";\".");
        }
        return (where == Where.EXTERNAL ? "EXPLAIN " : "EXPLAIN QUERY PLAN ") + sql;
    }

    private static List<String> split(String sql, Where where) {
        // PostgreSQL's dollar quotes, and brackets that are not quotes, cannot be split by SQLite's rules. Such a text
        // goes to the external database as it stands.
        if (where == Where.EXTERNAL && NOT_SQLITE.matcher(sql).find()) return List.of(sql);
        List<String> statements = new ArrayList<>();
        SqlStatements texts = new SqlStatements(new StringReader(sql));
        try {
            for (String text = texts.next(); text != null && statements.size() <= MAX_STATEMENTS; text = texts.next()) {
                statements.add(text.strip());
            }
            return statements;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Value value(JsonNode node) {
        if (node.isNull()) return Value.Null.NULL;
        if (node.isString()) return new Value.Text(node.asString());
        try {
            if (node.path("i").isString())
                return new Value.Int(Long.parseLong(node.get("i").asString()));
            if (node.path("r").isString())
                return new Value.Real(Double.parseDouble(node.get("r").asString()));
            if (node.path("b").isString()) {
                return new Value.Blob(
                        ByteBuffer.wrap(HexFormat.of().parseHex(node.get("b").asString())));
            }
        } catch (IllegalArgumentException _) {
            throw Fault.INVALID_REQUEST.saying("A value is not a number, or not a hexadecimal text.");
        }
        throw Fault.INVALID_REQUEST.saying("A value has an unknown type.");
    }
}
