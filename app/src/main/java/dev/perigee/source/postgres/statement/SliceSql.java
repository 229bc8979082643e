package dev.perigee.source.postgres.statement;

import dev.perigee.source.Expression;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceTable;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// How a pull keeps to the slice of its table: either the statement asks for rows of the slice only, or it asks for all
/// rows and tells of each whether it is in the slice.
///
/// The condition is evaluated once for each row, in a sub-select that `OFFSET 0` keeps apart. Names in it mean columns
/// of the row `r`, because nothing else is visible there. The sub-select's own names are such that no expression means
/// them by accident.
///
/// @param slice the slice; empty for all rows
/// @param before the slice before, for [Scope.Rescoped]
/// @param isTold whether rows outside the slice are sent too, with [#IS_IN] false
record SliceSql(Optional<Expression> slice, Optional<Expression> before, boolean isTold) {
    /// Whether the row is in the slice.
    static final String IS_IN = "s.\"perigee: is in\"";

    private static final String WAS_IN = "s.\"perigee: was in\"";

    static SliceSql of(Pull pull) {
        Optional<Expression> slice = pull.table().access().slice();
        return pull.scope() instanceof Scope.Rescoped(var before)
                ? new SliceSql(slice, before, true)
                : new SliceSql(slice, Optional.empty(), pull.table().access().isLeavingSent() && slice.isPresent());
    }

    /// A condition that is never NULL, for a statement in which all other names are qualified. The line break ends a
    /// comment, should the condition end in one.
    static String isTrue(Expression slice) {
        return "((" + slice.text() + "\n) IS TRUE)";
    }

    /// The table's own condition with ` AND ` before it; empty for a table without one.
    static String and(SourceTable table) {
        return table.access().slice().map(slice -> " AND " + isTrue(slice)).orElse("");
    }

    /// The conditions, as far as there are any.
    List<Expression> expressions() {
        return Stream.of(slice, before).flatMap(Optional::stream).toList();
    }

    /// What follows the table in the FROM clause.
    String joined() {
        if (!isTold) return "";
        return " CROSS JOIN LATERAL (SELECT %s, %s OFFSET 0) AS s (\"perigee: is in\", \"perigee: was in\")"
                .formatted(orAll(slice), orAll(before));
    }

    /// A condition for the WHERE clause; empty for none.
    ///
    /// @param scope the scope of the pull
    Optional<String> condition(Scope scope) {
        if (scope instanceof Scope.Rescoped) return Optional.of(IS_IN + " <> " + WAS_IN);
        return isTold ? Optional.empty() : slice.map(SliceSql::isTrue);
    }

    /// What to select for a value that is only sent if the row is in the slice.
    String ifIn(String selected) {
        return isTold ? "CASE WHEN " + IS_IN + " THEN " + selected + " END" : selected;
    }

    private static String orAll(Optional<Expression> slice) {
        return slice.map(SliceSql::isTrue).orElse("true");
    }
}
