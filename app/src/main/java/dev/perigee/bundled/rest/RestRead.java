package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.SqlStatement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What a query string asks of a table: which rows, which columns, in which order, how many.
final class RestRead {
    /// Parameters that are never conditions, even if the table has such a column. `limit.eq=5` is a condition.
    private static final Set<String> WORDS = Set.of("sort_by", "order", "limit", "offset", "select", "count");

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    private final RestTable table;
    private final RestFilter filter;
    private final Map<String, String> words = new LinkedHashMap<>();

    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for a parameter given twice, an unknown
    ///     column or operator, or a condition that cannot be read
    RestRead(RestTable table, Map<String, List<String>> parameters) {
        this.table = table;
        this.filter = new RestFilter(table);
        parameters.forEach((name, given) -> {
            if (WORDS.contains(name)) {
                if (given.size() > 1) throw Fault.INVALID_REQUEST.saying("\"%s\" is given twice.".formatted(name));
                words.put(name, given.getFirst());
            } else if (name.equals("or")) {
                given.forEach(filter::addAlternatives);
            } else {
                for (String value : given) filter.add(name, value);
            }
        });
    }

    /// The rows that satisfy all conditions, or how many there are.
    SqlStatement statement() {
        String columns = columns();
        String order = orderBy();
        List<Value> values = new ArrayList<>(filter.values());
        String page = page(values);
        if (isCount()) {
            return new SqlStatement(
                    "SELECT count(*) AS \"count\" FROM " + table.from() + filter.where(), filter.values(), Map.of());
        }
        String sql = "SELECT %s FROM %s%s%s%s".formatted(columns, table.from(), filter.where(), order, page);
        return new SqlStatement(sql, values, Map.of());
    }

    /// The row with the key that `id` and `parameters` give, with the columns of `select`.
    static SqlStatement one(RestTable table, String id, Map<String, List<String>> parameters) {
        Map<String, List<String>> others = new LinkedHashMap<>(parameters);
        List<String> select = others.remove("select");
        String columns = new RestRead(table, select == null ? Map.of() : Map.of("select", select)).columns();
        List<Value> values = new ArrayList<>();
        String where =
                RestKey.of(table, Optional.of(id), others, Optional.empty()).where(values);
        return new SqlStatement("SELECT %s FROM %s%s".formatted(columns, table.from(), where), values, Map.of());
    }

    private String columns() {
        String select = words.get("select");
        if (select == null) return "*";
        List<String> columns = new ArrayList<>();
        for (String name : RestText.items(select)) {
            columns.add(name.equals("*") ? "*" : table.read(table.column(name)));
        }
        return String.join(", ", columns);
    }

    private String orderBy() {
        String sortBy = words.get("sort_by");
        String order = words.get("order");
        if (sortBy == null) {
            if (order == null) return "";
            throw Fault.INVALID_REQUEST.saying("order sets the direction of sort_by: name the columns in sort_by.");
        }
        List<String> columns = RestText.items(sortBy);
        List<String> directions = order == null ? List.of() : RestText.items(order);
        if (directions.size() > columns.size()) {
            throw Fault.INVALID_REQUEST.saying("order has more directions than sort_by has columns.");
        }
        List<String> terms = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            Column column = table.column(columns.get(i));
            terms.add(table.operand(column) + " " + (i < directions.size() ? direction(directions.get(i)) : "ASC"));
        }
        return " ORDER BY " + String.join(", ", terms);
    }

    private static String direction(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "asc" -> "ASC";
            case "desc" -> "DESC";
            default -> throw Fault.INVALID_REQUEST.saying("order is asc or desc, not \"%s\".".formatted(text));
        };
    }

    private String page(List<Value> values) {
        String limit = words.get("limit");
        String offset = words.get("offset");
        StringBuilder page = new StringBuilder();
        if (limit != null) {
            page.append(" LIMIT ?");
            values.add(number("limit", limit));
        } else if (offset != null && !table.isExternal()) {
            page.append(" LIMIT -1");
        }
        if (offset != null) {
            page.append(" OFFSET ?");
            values.add(number("offset", offset));
        }
        return page.toString();
    }

    private static Value number(String name, String text) {
        if (!NUMBER.matcher(text).matches()) {
            throw Fault.INVALID_REQUEST.saying(
                    "%s must be a whole number of 0 or more, with at most 18 digits, not \"%s\"."
                            .formatted(name, text));
        }
        return new Value.Int(Long.parseLong(text));
    }

    private boolean isCount() {
        String count = words.getOrDefault("count", "false");
        return switch (count) {
            case "true", "" -> true;
            case "false" -> false;
            default ->
                throw Fault.INVALID_REQUEST.saying(
                        "count is true or false, not \"%s\"; a column of that name is filtered by count.eq=…"
                                .formatted(count));
        };
    }
}
