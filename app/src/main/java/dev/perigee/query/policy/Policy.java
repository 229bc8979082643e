package dev.perigee.query.policy;

import dev.perigee.query.sql.ContextSpelling;
import dev.perigee.sqlite.SqlNames;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// A policy of row-level security, a row of `tmp_rls_policies`: a condition on one column, for one action on one table.
///
/// @param operator how the column is compared with the value, such as `=`
/// @param valueType `string`, `number`, `boolean`, or `query` for a value that is an SQL expression
record Policy(Action action, String table, String column, String operator, String value, String valueType) {
    enum Action {
        SELECT,
        INSERT,
        UPDATE,
        DELETE
    }

    private static final Set<String> OPERATORS =
            Set.of("=", "==", "!=", "<>", "<", "<=", ">", ">=", "LIKE", "NOT LIKE", "GLOB", "IS", "IS NOT");
    private static final Set<String> SETS = Set.of("IN", "NOT IN");
    private static final Pattern NUMBER = Pattern.compile("[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?");
    private static final Pattern ID = Pattern.compile("(?i)\\s*context\\s*(\\.\\s*id|_id)\\s*\\(\\s*\\)\\s*");
    private static final Pattern CLAIM = Pattern.compile("(?i)\\s*context_claim\\s*\\(\\s*'([^']*)'\\s*\\)\\s*");

    /// The condition as SQL. Empty if the row makes no sense; the policy then holds for no row.
    ///
    /// @param prefix what stands before the column's name, such as `NEW.`
    Optional<String> sql(String prefix) {
        String compared = operator.strip().toUpperCase(Locale.ROOT).replaceAll("\\s+", " ");
        boolean isSet = SETS.contains(compared);
        if (!isSet && !OPERATORS.contains(compared)) return Optional.empty();
        return operand(isSet)
                .map(operand -> "%s%s %s %s".formatted(prefix, SqlNames.quoted(column), compared, operand));
    }

    private Optional<String> operand(boolean isSet) {
        String type = valueType.strip().toLowerCase(Locale.ROOT);
        if (type.equals("query")) return Optional.of("(" + ContextSpelling.rewritten(value) + ")");
        if (isSet) return Optional.empty();
        if (ID.matcher(value).matches()) return Optional.of("context_id()");
        var claim = CLAIM.matcher(value);
        if (claim.matches()) return Optional.of("context_claim('%s')".formatted(claim.group(1)));
        return switch (type) {
            case "string" -> Optional.of("'" + value.replace("'", "''") + "'");
            case "number" -> NUMBER.matcher(value.strip()).matches() ? Optional.of(value.strip()) : Optional.empty();
            case "boolean" ->
                switch (value.strip().toLowerCase(Locale.ROOT)) {
                    case "true", "1" -> Optional.of("1");
                    case "false", "0" -> Optional.of("0");
                    default -> Optional.empty();
                };
            default -> Optional.empty();
        };
    }
}
