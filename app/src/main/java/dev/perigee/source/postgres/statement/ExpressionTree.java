package dev.perigee.source.postgres.statement;

import dev.perigee.source.postgres.statement.NodeTree.Node;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/// What an expression consists of, as the server has parsed it in `SELECT (…) FROM table LIMIT 0`. Only kinds of nodes
/// are let through whose value depends on their arguments and on functions that are listed here, and on nothing else.
final class ExpressionTree {
    private static final Set<String> ALLOWED = Set.of(
            "VAR",
            "CONST",
            "FUNCEXPR",
            "OPEXPR",
            "DISTINCTEXPR",
            "NULLIFEXPR",
            "SCALARARRAYOPEXPR",
            "BOOLEXPR",
            "NULLTEST",
            "BOOLEANTEST",
            "RELABELTYPE",
            "COERCEVIAIO",
            "ARRAYCOERCEEXPR",
            "CASETESTEXPR",
            "SUBSCRIPTINGREF",
            // These have a shorter name before version 16.
            "CASEEXPR",
            "CASE",
            "CASEWHEN",
            "WHEN",
            "COALESCEEXPR",
            "COALESCE",
            "ARRAYEXPR",
            "ARRAY",
            "COLLATEEXPR",
            "COLLATE");

    private static final Map<String, String> WHY = Map.of(
            "SUBLINK", "it has a sub-select, and rows of other tables may change unseen",
            "QUERY", "it has a sub-select, and rows of other tables may change unseen",
            "AGGREF", "it has an aggregate function",
            "WINDOWFUNC", "it has a window function",
            "GROUPINGFUNC", "it has an aggregate function",
            "SQLVALUEFUNCTION", "it depends on the time or on the session, such as CURRENT_DATE or CURRENT_USER",
            "PARAM", "it has a parameter",
            "NEXTVALUEEXPR", "it changes a sequence",
            "MINMAXEXPR", "it has GREATEST or LEAST, which cannot be proven; write comparisons with CASE",
            "MINMAX", "it has GREATEST or LEAST, which cannot be proven; write comparisons with CASE");

    /// The field in which a node has the type of its value.
    private static final Map<String, String> TYPE_FIELDS = types();

    private static final long BOOLEAN = 16;

    private final Set<Integer> columns = new TreeSet<>();
    private final Set<Long> functions = new LinkedHashSet<>();
    private final Set<Long> operators = new LinkedHashSet<>();
    private final Set<Long> constants = new LinkedHashSet<>();
    private final Set<Long> written = new LinkedHashSet<>();
    private final Set<Long> read = new LinkedHashSet<>();
    private Optional<String> refusal = Optional.empty();
    private OptionalLong type = OptionalLong.empty();

    /// @param query the tree of the whole statement
    static ExpressionTree of(Node query) {
        ExpressionTree tree = new ExpressionTree();
        List<Node> targets = query.nodes("targetList");
        List<Node> tables = query.nodes("rtable");
        boolean isPlain = query.name().equals("QUERY")
                && targets.size() == 1
                && tables.size() == 1
                && targets.getFirst().nodes("expr").size() == 1
                && query.nodes("jointree").stream()
                        .allMatch(join -> join.nodes("quals").isEmpty());
        if (isPlain) {
            Node expression = targets.getFirst().nodes("expr").getFirst();
            tree.type = type(expression);
            tree.look(expression);
        } else tree.refuse("it is not one expression on columns of the table");
        return tree;
    }

    /// Why the expression is refused, for people; empty where the catalog decides.
    Optional<String> refusal() {
        return refusal;
    }

    /// OID of the type of the value; empty where the tree does not tell.
    OptionalLong type() {
        return type;
    }

    /// `attnum` of the columns used.
    Set<Integer> columns() {
        return columns;
    }

    /// OIDs of the functions called, also by operators.
    Set<Long> functions() {
        return functions;
    }

    /// OIDs of operators whose function the tree does not name.
    Set<Long> operators() {
        return operators;
    }

    /// OIDs of the types of constants.
    Set<Long> constants() {
        return constants;
    }

    /// OIDs of types whose values are cast to text.
    Set<Long> written() {
        return written;
    }

    /// OIDs of types that text is cast to.
    Set<Long> read() {
        return read;
    }

    private void look(Node node) {
        if (!ALLOWED.contains(node.name())) {
            refuse(WHY.getOrDefault(
                    node.name(),
                    "it has a form that cannot be proven to depend on the row only (" + node.name() + ")"));
            return;
        }
        switch (node.name()) {
            case "VAR" -> column(node);
            case "CONST" -> {
                if (node.token("constisnull").equals(Optional.of("false"))) constants.add(node.number("consttype"));
            }
            case "FUNCEXPR" -> functions.add(node.number("funcid"));
            case "OPEXPR", "DISTINCTEXPR", "NULLIFEXPR", "SCALARARRAYOPEXPR" -> operator(node);
            case "COERCEVIAIO" -> cast(node);
            default -> {}
        }
        if (node.token("funcretset").equals(Optional.of("true"))) refuse("it has a function that returns several rows");
        node.nodes().forEach(this::look);
    }

    private void column(Node node) {
        long number = node.number("varattno");
        if (number < 0) refuse("it has a system column");
        else if (number == 0) refuse("it uses the row as a whole; name the columns");
        else if (node.number("varno") != 1 || node.number("varlevelsup") != 0) refuse("it uses another table");
        else columns.add(Math.toIntExact(number));
    }

    private void operator(Node node) {
        long function = node.number("opfuncid");
        if (function == 0) operators.add(node.number("opno"));
        else functions.add(function);
    }

    private void cast(Node node) {
        List<Node> arguments = node.nodes("arg");
        OptionalLong from = arguments.size() == 1 ? type(arguments.getFirst()) : OptionalLong.empty();
        if (from.isEmpty()) {
            refuse("it casts a value to or from text in a way that cannot be proven to depend on the row only");
            return;
        }
        written.add(from.getAsLong());
        read.add(node.number("resulttype"));
    }

    private static OptionalLong type(Node node) {
        String field = TYPE_FIELDS.get(node.name());
        if (field == null) return OptionalLong.empty();
        if (field.isEmpty()) return OptionalLong.of(BOOLEAN);
        long type = node.number(field);
        return type == 0 ? OptionalLong.empty() : OptionalLong.of(type);
    }

    private void refuse(String why) {
        if (refusal.isEmpty()) refusal = Optional.of(why);
    }

    private static Map<String, String> types() {
        Map<String, String> types = new LinkedHashMap<>();
        types.put("VAR", "vartype");
        types.put("CONST", "consttype");
        types.put("FUNCEXPR", "funcresulttype");
        types.put("SUBSCRIPTINGREF", "refrestype");
        for (String name : List.of("OPEXPR", "DISTINCTEXPR", "NULLIFEXPR")) types.put(name, "opresulttype");
        for (String name : List.of("RELABELTYPE", "COERCEVIAIO", "ARRAYCOERCEEXPR")) types.put(name, "resulttype");
        for (String name : List.of("COALESCE", "COALESCEEXPR")) types.put(name, "coalescetype");
        for (String name : List.of("CASE", "CASEEXPR")) types.put(name, "casetype");
        for (String name : List.of("BOOLEXPR", "NULLTEST", "BOOLEANTEST", "SCALARARRAYOPEXPR")) types.put(name, "");
        return types;
    }
}
