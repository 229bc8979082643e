package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.jdbc.PgConnection;

/// The product that answers on PostgreSQL's protocol, as it describes itself.
///
/// Other products answer with an empty `pg_stat_activity`, and with transaction numbers that mean nothing. Both would
/// look like a proof. So they are refused by name, before anything is copied.
///
/// @param said what `version()` answers
public record ServerProduct(String said) {
    static final int OLDEST = 13;

    private static final int SAID_LENGTH = 100;
    private static final Pattern POSTGRES = Pattern.compile("PostgreSQL (\\d+)(\\S*)");

    /// Texts that only other products have in their answer, each with the product's name.
    private static final List<List<String>> OTHERS = List.of(
            List.of("CockroachDB", "CockroachDB"),
            List.of("-YB-", "YugabyteDB"),
            List.of("Redshift", "Amazon Redshift"),
            List.of("Greenplum", "Greenplum"),
            List.of("Cloudberry", "Apache Cloudberry"),
            List.of("Materialize", "Materialize"),
            List.of("RisingWave", "RisingWave"),
            List.of("Dolt", "Doltgres"),
            List.of("QuestDB", "QuestDB"),
            List.of("GaussDB", "GaussDB"),
            List.of("openGauss", "openGauss"),
            List.of("CrateDB", "CrateDB"));

    static ServerProduct of(PgConnection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("SELECT version()")) {
            row.next();
            return new ServerProduct(String.valueOf(row.getString(1)));
        }
    }

    /// Name and version: `PostgreSQL 18.6`.
    public String name() {
        Matcher postgres = POSTGRES.matcher(said);
        return postgres.lookingAt() ? postgres.group() : shortened();
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_UNSUPPORTED]
    void require(SourceConfig config) {
        Optional<String> why = whyNot();
        if (why.isPresent()) throw Fault.SOURCE_UNSUPPORTED.in(config.place(), why.get(), "Nothing was copied");
    }

    private Optional<String> whyNot() {
        for (List<String> other : OTHERS) {
            if (containsIgnoringCase(other.getFirst())) return Optional.of(notPostgres(other.getLast()));
        }
        Matcher postgres = POSTGRES.matcher(said);
        if (!postgres.lookingAt()) return Optional.of(notPostgres("another product"));
        if (Integer.parseInt(postgres.group(1)) >= OLDEST) return Optional.empty();
        return Optional.of("it is %s, but the oldest supported version is %d".formatted(name(), OLDEST));
    }

    private String notPostgres(String name) {
        return "it is %s (\"%s\"), which speaks PostgreSQL's protocol but does not keep transactions as PostgreSQL does"
                .formatted(name, shortened());
    }

    private boolean containsIgnoringCase(String part) {
        for (int at = 0; at + part.length() <= said.length(); at++) {
            if (said.regionMatches(true, at, part, 0, part.length())) return true;
        }
        return false;
    }

    private String shortened() {
        return said.length() <= SAID_LENGTH ? said : said.substring(0, SAID_LENGTH) + "…";
    }
}
