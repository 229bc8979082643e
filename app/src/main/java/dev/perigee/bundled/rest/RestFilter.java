package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The conditions of a query string as SQL with bound values: `col=v`, `col.op=v`, `or=(a.eq.1,b.is.null)`.
final class RestFilter {
    /// Conditions of one request, those inside `or` and values inside `in` included.
    private static final int MAX_VALUES = 1000;

    private static final Map<String, String> COMPARISONS =
            Map.of("eq", "=", "ne", "<>", "gt", ">", "lt", "<", "gte", ">=", "lte", "<=");
    private static final String OPERATORS = "eq, ne, gt, lt, gte, lte, like, in, is";

    private final RestTable table;
    private final List<String> conditions = new ArrayList<>();
    private final List<Value> values = new ArrayList<>();

    RestFilter(RestTable table) {
        this.table = table;
    }

    /// Adds `name=value` of the query string.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] for a column or an operator there is none of
    void add(String name, String value) {
        if (name.equals("or") && table.find("or").isEmpty()) {
            conditions.add(or(value));
            return;
        }
        Optional<Column> whole = table.find(name);
        if (whole.isPresent()) {
            conditions.add(condition(whole.get(), "eq", value));
            return;
        }
        int dot = name.lastIndexOf('.');
        if (dot < 0) throw table.noColumn(name);
        String column = name.substring(0, dot);
        String operator = name.substring(dot + 1);
        if (operator.equals("null") && column.endsWith(".is")) {
            conditions.add(condition(table.column(column.substring(0, column.length() - 3)), "is", "null"));
            return;
        }
        conditions.add(condition(table.column(column), operator, value));
    }

    /// `WHERE …` with a blank before it; empty without conditions.
    String where() {
        return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
    }

    List<Value> values() {
        return values;
    }

    private String condition(Column column, String operator, String value) {
        String name = RestTable.quoted(column.name());
        String comparison = COMPARISONS.get(operator);
        if (comparison != null) return "%s %s %s".formatted(name, comparison, placeholder(column, value));
        return switch (operator) {
            case "like" -> {
                addValue(new Value.Text(value));
                yield table.isExternal() ? "CAST(%s AS text) LIKE ?".formatted(name) : name + " LIKE ?";
            }
            case "in" -> {
                List<String> placeholders = new ArrayList<>();
                for (String item : items(value)) placeholders.add(placeholder(column, item));
                yield "%s IN (%s)".formatted(name, String.join(", ", placeholders));
            }
            case "is" ->
                switch (value) {
                    case "null" -> name + " IS NULL";
                    case "not.null" -> name + " IS NOT NULL";
                    default ->
                        throw Fault.INVALID_REQUEST.saying(
                                "%s.is takes null or not.null, not \"%s\".".formatted(column.name(), value));
                };
            default ->
                throw Fault.INVALID_REQUEST.saying("There is no operator \"%s\" for the column \"%s\"; there are %s."
                        .formatted(operator, column.name(), OPERATORS));
        };
    }

    private String placeholder(Column column, String value) {
        addValue(value(column, value));
        return table.placeholder(column);
    }

    private void addValue(Value value) {
        if (values.size() == MAX_VALUES) {
            throw Fault.TOO_LARGE.saying("A request has at most %d values in its conditions.".formatted(MAX_VALUES));
        }
        values.add(value);
    }

    /// Text, which SQLite turns into a number where the column's affinity is numeric. A column without affinity
    /// compares what is stored, so what reads as a whole number is one there.
    private Value value(Column column, String text) {
        if (table.isExternal() || !column.type().isEmpty() || !text.matches("-?(0|[1-9][0-9]{0,17})")) {
            return new Value.Text(text);
        }
        return new Value.Int(Long.parseLong(text));
    }

    /// `(a.eq.1,b.is.null)`, with or without its parentheses.
    private String or(String text) {
        List<String> alternatives = new ArrayList<>();
        for (String item : items(text)) {
            int operatorAt = -1;
            Optional<Column> column = Optional.empty();
            for (int dot = item.indexOf('.'); dot > 0 && column.isEmpty(); dot = item.indexOf('.', dot + 1)) {
                column = table.find(item.substring(0, dot));
                operatorAt = dot + 1;
            }
            int valueAt = item.indexOf('.', operatorAt) + 1;
            if (operatorAt < 0 || valueAt == 0) {
                throw Fault.INVALID_REQUEST.saying(
                        "or takes conditions such as (age.gt.30,name.eq.Ann), but found \"%s\".".formatted(item));
            }
            Column found = column.orElseThrow(() -> table.noColumn(item.substring(0, item.indexOf('.'))));
            alternatives.add(condition(found, item.substring(operatorAt, valueAt - 1), item.substring(valueAt)));
        }
        return "(" + String.join(" OR ", alternatives) + ")";
    }

    /// The parts between commas; a part in double quotes may have commas, and `""` for a quote.
    private static List<String> items(String text) {
        String list = text.startsWith("(") && text.endsWith(")") ? text.substring(1, text.length() - 1) : text;
        List<String> items = new ArrayList<>();
        StringBuilder item = new StringBuilder();
        boolean isQuoted = false;
        for (int i = 0; i < list.length(); i++) {
            char c = list.charAt(i);
            if (c == '"' && isQuoted && i + 1 < list.length() && list.charAt(i + 1) == '"') {
                item.append(c);
                i++;
            } else if (c == '"') {
                isQuoted = !isQuoted;
            } else if (c == ',' && !isQuoted) {
                items.add(item.toString());
                item.setLength(0);
            } else {
                item.append(c);
            }
        }
        if (isQuoted) throw Fault.INVALID_REQUEST.saying("A double quote in \"%s\" is not closed.".formatted(text));
        items.add(item.toString());
        return items;
    }
}
