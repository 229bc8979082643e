package dev.perigee.source.postgres.statement;

import dev.perigee.source.Scope;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.postgresql.jdbc.PgConnection;

/// Finds which of some keys no row of the table has.
///
/// The keys asked for are the second part of a `UNION` whose first part is the table's own key, without rows. So they
/// have the columns' types and collations, and compare as the columns do.
public final class AbsentKeys {
    private final PgConnection session;
    private final SourceTable table;
    private final List<String> key;
    private final Set<String> spelled;
    private final Map<String, CatalogColumn> catalog;

    /// @param spelled see [dev.perigee.source.Snapshot#absent]
    public AbsentKeys(PgConnection session, SourceTable table, List<String> key, Set<String> spelled)
            throws SQLException {
        this.session = session;
        this.table = table;
        this.key = key;
        this.spelled = spelled;
        this.catalog = PostgresCatalog.columns(session, table.id()).stream()
                .collect(Collectors.toMap(CatalogColumn::name, Function.identity()));
    }

    public List<Integer> of(List<List<String>> keys, Optional<List<String>> from, Optional<List<String>> upTo)
            throws SQLException {
        if (keys.isEmpty() || keys.size() > Scope.Keys.MAX_KEYS) {
            throw new IllegalArgumentException(keys.size() + " keys, expected 1 to " + Scope.Keys.MAX_KEYS);
        }
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) rows.add("(%d, %s)".formatted(i, literals(keys.get(i))));
        StringBuilder sql =
                new StringBuilder("WITH k (i, %s) AS (SELECT 0, %s FROM %s AS r WHERE false UNION ALL VALUES %s) "
                        .formatted(
                                IntStream.range(0, key.size())
                                        .mapToObj(i -> "c" + i)
                                        .collect(Collectors.joining(", ")),
                                columns(),
                                PostgresNames.table(table.id()),
                                String.join(", ", rows)));
        sql.append("SELECT k.i FROM k WHERE NOT EXISTS (SELECT FROM %s AS r WHERE (%s) = (%s)%s%s)"
                .formatted(PostgresNames.table(table.id()), columns(), asked(), sameText(), SliceSql.and(table)));
        if (from.isPresent()) sql.append(" AND (%s) >= (%s)".formatted(asked(), literals(from.get())));
        if (upTo.isPresent()) sql.append(" AND (%s) <= (%s)".formatted(asked(), literals(upTo.get())));
        List<Integer> absent = new ArrayList<>();
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql.toString())) {
            while (row.next()) absent.add(row.getInt(1));
        }
        return absent;
    }

    private String columns() {
        return key.stream().map(name -> "r." + PostgresNames.name(name)).collect(Collectors.joining(", "));
    }

    private String sameText() {
        StringBuilder same = new StringBuilder();
        for (int i = 0; i < key.size(); i++) {
            if (!spelled.contains(key.get(i))) continue;
            String text = "%s::pg_catalog.text COLLATE pg_catalog.\"C\"";
            same.append(" AND ")
                    .append(text.formatted("r." + PostgresNames.name(key.get(i))))
                    .append(" = ")
                    .append(text.formatted("k.c" + i));
        }
        return same.toString();
    }

    private String asked() {
        return IntStream.range(0, key.size()).mapToObj(i -> "k.c" + i).collect(Collectors.joining(", "));
    }

    /// As in [PullStatement], the cast names the type without its modifiers.
    private String literals(List<String> values) throws SQLException {
        List<String> literals = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            CatalogColumn column = catalog.get(key.get(i));
            if (column == null) throw new IllegalStateException("no column \"%s\"".formatted(key.get(i)));
            literals.add("'%s'::%s.%s"
                    .formatted(
                            session.escapeLiteral(values.get(i)),
                            PostgresNames.name(column.type().schema()),
                            PostgresNames.name(column.type().name())));
        }
        return String.join(", ", literals);
    }
}
