package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The conditions of a query string as SQL with bound values: `col=v`, `col.op=v`, `or=(a.eq.1,and(b.is.null,c.gt.2))`.
final class RestFilter {
    /// Maximum number of conditions of one request. Those inside `or` count, and so does each value inside `in`. A
    /// chain of AND or OR nests one level per condition, so this stays below SQLite's limit on expression depth.
    private static final int MAX_VALUES = 900;

    private static final int MAX_DEPTH = 10;

    private static final Map<String, String> ORDERS = Map.of("gt", ">", "lt", "<", "gte", ">=", "lte", "<=");
    private static final String OPERATORS = "eq, ne, gt, lt, gte, lte, like, in, is";

    /// A condition as PostgREST writes it, `film_id=eq.5`. Here it is `film_id.eq=5`.
    private static final Pattern OPERATOR_IN_VALUE = Pattern.compile(
            "(?:not\\.)*(eq|neq|gt|gte|lt|lte|i?like|i?match|in|is|isdistinct|fts|plfts|phfts|wfts|cs|cd|ov)\\..*",
            Pattern.DOTALL);

    /// SQL for the number that the text in the column `@` stands for, or the text itself if it is not a number.
    private static final String NUMBER_OF_TEXT = """
            CASE WHEN @ = 'Infinity' THEN 9e999 WHEN @ = '-Infinity' THEN -9e999 \
            WHEN @ GLOB '[-0-9]*' AND @ GLOB '*[0-9]*' AND substr(@, 2) NOT GLOB '*[^0-9.]*' THEN CAST(@ AS REAL) \
            ELSE @ END""";

    private final RestTable table;
    private final List<String> conditions = new ArrayList<>();
    private final List<Value> values = new ArrayList<>();
    private int count;

    RestFilter(RestTable table) {
        this.table = table;
    }

    /// Adds `name=value` of the query string. If a column has the whole name, that column is meant, even if the name
    /// ends like an operator.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for an unknown column or operator
    void add(String name, String value) {
        Optional<Column> whole = table.find(name);
        if (whole.isPresent()) {
            requireValue(name, value);
            conditions.add(condition(whole.get(), "eq", value));
            return;
        }
        int dot = name.lastIndexOf('.');
        if (dot < 0) throw table.noColumn(name);
        String column = name.substring(0, dot);
        String operator = name.substring(dot + 1);
        if (operator.equals("null") && column.endsWith(".is") && value.isEmpty()) {
            conditions.add(condition(table.column(column.substring(0, column.length() - 3)), "is", "null"));
            return;
        }
        conditions.add(condition(table.column(column), operator, value));
    }

    /// @throws PerigeeException [Fault#INVALID_REQUEST] if the value begins with an operator
    static void requireValue(String name, String value) {
        Matcher operator = OPERATOR_IN_VALUE.matcher(value);
        if (!operator.matches()) return;
        throw Fault.INVALID_REQUEST.saying(
                "\"%s=%s.…\" looks for the text \"%s.…\". Write the operator after the column, as in %s.eq=5; the operators are %s. To look for that text itself, write %s.eq=%s.…"
                        .formatted(
                                name, operator.group(1), operator.group(1), name, OPERATORS, name, operator.group(1)));
    }

    /// Adds `or=(…)`: at least one of its conditions holds.
    void addAlternatives(String text) {
        RestText reader = new RestText(text);
        boolean hasParentheses = reader.skip("(");
        conditions.add(group(reader, "OR", 1));
        if (hasParentheses) reader.expect(")");
        if (!reader.isAtEnd()) throw reader.unexpected();
    }

    /// `WHERE …` with a blank before it; empty without conditions.
    String where() {
        return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
    }

    List<Value> values() {
        return values;
    }

    private String group(RestText reader, String word, int depth) {
        if (depth > MAX_DEPTH) {
            throw Fault.INVALID_REQUEST.saying("Conditions may be nested at most %d levels deep.".formatted(MAX_DEPTH));
        }
        List<String> parts = new ArrayList<>();
        do {
            if (reader.skip("or(")) parts.add(group(reader, "OR", depth + 1, ")"));
            else if (reader.skip("and(")) parts.add(group(reader, "AND", depth + 1, ")"));
            else parts.add(condition(reader));
        } while (reader.skip(","));
        return "(" + String.join(" " + word + " ", parts) + ")";
    }

    private String group(RestText reader, String word, int depth, String end) {
        String group = group(reader, word, depth);
        reader.expect(end);
        return group;
    }

    /// `column.operator.value`; a column's name may be in quotes.
    private String condition(RestText reader) {
        Column column = column(reader);
        reader.expect(".");
        String operator = reader.value(".,)");
        reader.expect(".");
        if (!operator.equals("in")) return condition(column, operator, reader.value(",)"));
        reader.expect("(");
        String condition = in(column, reader.itemsUpTo(",)"));
        reader.expect(")");
        return condition;
    }

    private Column column(RestText reader) {
        String ahead = reader.ahead(",)");
        if (ahead.startsWith("\"")) return table.column(reader.value(""));
        for (int dot = ahead.indexOf('.'); dot > 0; dot = ahead.indexOf('.', dot + 1)) {
            Optional<Column> column = table.find(ahead.substring(0, dot));
            if (column.isEmpty()) continue;
            reader.skip(ahead.substring(0, dot));
            return column.get();
        }
        if (ahead.indexOf('.') > 0) throw table.noColumn(ahead.substring(0, ahead.indexOf('.')));
        throw Fault.INVALID_REQUEST.saying(
                "or takes conditions such as (age.gt.30,name.eq.Ann), but found \"%s\".".formatted(ahead));
    }

    private String condition(Column column, String operator, String value) {
        String name = table.operand(column);
        String order = ORDERS.get(operator);
        if (order != null) {
            Value compared = RestValues.one(table, column, value);
            addValue(compared);
            boolean isNumber = compared instanceof Value.Int || compared instanceof Value.Real;
            if (!table.isExternal() && column.isUntyped() && isNumber) return ordered(name, order, compared);
            return "%s %s %s".formatted(name, table.operator(column, order), table.placeholder(column));
        }
        return switch (operator) {
            case "eq" -> in(column, List.of(value));
            case "ne" -> "NOT " + in(column, List.of(value));
            case "like" -> {
                requireWholeEscapes(column, value);
                addValue(new Value.Text(value));
                yield table.isExternal()
                        ? "CAST(%s AS text) LIKE CAST(? AS text)".formatted(name)
                        : name + " LIKE ? ESCAPE '\\'";
            }
            case "in" -> in(column, RestText.items(value));
            case "is" -> {
                counted();
                yield switch (value) {
                    case "null" -> name + " IS NULL";
                    case "not.null" -> name + " IS NOT NULL";
                    default ->
                        throw Fault.INVALID_REQUEST.saying(
                                "%s.is takes null or not.null, not \"%s\".".formatted(column.name(), value));
                };
            }
            default ->
                throw Fault.INVALID_REQUEST.saying("There is no operator \"%s\" for the column \"%s\"; there are %s."
                        .formatted(operator, column.name(), OPERATORS));
        };
    }

    /// An untyped column holds infinite numbers and numbers of many digits as text, and SQLite sorts any text after any
    /// number. So texts are compared as the numbers they stand for. The first comparison of each expression lets SQLite
    /// use an index.
    private String ordered(String name, String order, Value compared) {
        addValue(compared);
        String number = NUMBER_OF_TEXT.replace("@", name);
        return order.startsWith(">")
                ? "(%1$s %2$s ? AND CASE typeof(%1$s) WHEN 'text' THEN %3$s %2$s ? ELSE 1 END)"
                        .formatted(name, order, number)
                : "(%1$s %2$s ? OR (%1$s >= '' AND %1$s < x'' AND %3$s %2$s ?))".formatted(name, order, number);
    }

    /// Refuses a pattern that ends with half an escape. The external database would refuse it, too; SQLite would find
    /// nothing.
    private static void requireWholeEscapes(Column column, String pattern) {
        int escapes = 0;
        while (escapes < pattern.length() && pattern.charAt(pattern.length() - 1 - escapes) == '\\') escapes++;
        if (escapes % 2 == 0) return;
        throw Fault.INVALID_REQUEST.saying(
                "%s.like ends with a backslash, which escapes the character after it. Write a backslash itself as two."
                        .formatted(column.name()));
    }

    /// SQL that says whether the column's value is one of `given`; it is NULL where the column is NULL.
    private String in(Column column, List<String> given) {
        if (given.isEmpty()) {
            counted();
            return "1 = 0";
        }
        List<String> placeholders = new ArrayList<>();
        for (String item : given) {
            for (Value value : RestValues.any(table, column, item)) {
                addValue(value);
                placeholders.add(table.placeholder(column));
            }
        }
        String list = String.join(", ", placeholders);
        String name = table.operand(column);
        String equal = table.operator(column, "=");
        return equal.equals("=")
                ? "(%s IN (%s))".formatted(name, list)
                : "(%s %s ANY (ARRAY[%s]))".formatted(name, equal, list);
    }

    private void addValue(Value value) {
        counted();
        values.add(value);
    }

    private void counted() {
        if (++count > MAX_VALUES) {
            throw Fault.TOO_LARGE.saying("A request has at most %d values in its conditions.".formatted(MAX_VALUES));
        }
    }
}
