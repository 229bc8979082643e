package dev.perigee.source.postgres;

import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.SourceColumn.Option;
import dev.perigee.source.postgres.TimeDecoder.Kind;
import java.util.Optional;
import java.util.Set;

/// The type table: for each type of PostgreSQL, what the copy's column is declared as, and how its values are fetched.
///
/// A declared type is chosen for the affinity it gives: `JSON` or `TIMESTAMP` would give NUMERIC, which turns the JSON
/// text `123` into a number. Types that are not named here are fetched as the source's own text, so none is ever a
/// reason for a table to fail.
final class PostgresTypes {
    /// Digits of a numeric up to which SQLite's NUMERIC affinity keeps it exact.
    private static final int EXACT_DIGITS = 15;

    /// Subscripted types that are no arrays to their users: their text form is numbers with spaces between.
    private static final Set<String> VECTORS = Set.of("int2vector", "oidvector");

    /// Types of extensions that are known by name, since their numbers differ from database to database.
    private static final Set<String> EXTENSION_TEXT = Set.of("citext");

    private static final Set<String> SPATIAL = Set.of("geometry", "geography");

    /// An array whose dimensions all begin at 1 is a JSON array; of any other the dimensions are kept beside it.
    private static final String ARRAY = """
            CASE WHEN array_dims(%1$s) ~ '^(\\[1:[0-9]+\\])+$' IS NOT FALSE THEN array_to_json(%1$s)::text \
            ELSE json_build_object('dims', array_dims(%1$s), 'values', array_to_json(%1$s))::text END""";

    private static final String MULTIRANGE =
            "CASE WHEN %1$s IS NOT NULL THEN array_to_json(ARRAY(SELECT unnest(%1$s)))::text END";

    private static final String INET = "pg_catalog.textin(pg_catalog.inet_out(%1$s))";

    private static final String JSON = "to_json(%1$s)::text";

    private PostgresTypes() {}

    /// @return empty where the column has no declared type, and so no affinity
    static String declaredType(PostgresType type) {
        if (isSpatial(type)) return "BLOB";
        if (!type.isBuiltIn() || type.kind() != 'b') return "TEXT";
        return switch (type.name()) {
            case "int2", "int4", "int8", "oid" -> "INTEGER";
            case "bool" -> "BOOLEAN";
            case "float4", "float8" -> "REAL";
            case "numeric" -> declaredNumeric(type.modifier());
            case "bytea" -> "BLOB";
            default -> "TEXT";
        };
    }

    /// What a user should know of how values are kept.
    static Optional<String> note(CatalogColumn column) {
        PostgresType type = column.type();
        boolean isKnown = type.isBuiltIn()
                || type.kind() != 'b'
                || type.category() == 'A'
                || EXTENSION_TEXT.contains(type.name())
                || isSpatial(type)
                || type.name().equals("hstore");
        if (isKnown) return Optional.empty();
        return Optional.of("the type %s is not known and kept in the source's text form".formatted(type.name()));
    }

    /// The setting that changes how values are stored.
    static Option option(PostgresType type) {
        if (!type.isBuiltIn()) return Option.NONE;
        return switch (type.name()) {
            case "numeric" -> Option.NUMERIC;
            case "timestamp", "timestamptz" -> Option.TIMESTAMPS;
            default -> Option.NONE;
        };
    }

    /// The text form is taken of all that is not named: PostgreSQL has it for every type.
    static Reading reading(PostgresType type, NumericStorage numeric, TimestampStorage timestamps) {
        if (isSpatial(type)) return Reading.asIs(PlainDecoder.BYTEA); // its binary form is EWKB
        if (type.kind() == 'c') return Reading.ofJson(JSON);
        if (type.kind() == 'm') return Reading.ofJson(MULTIRANGE);
        if (type.category() == 'A' && !VECTORS.contains(type.name())) return Reading.ofJson(ARRAY);
        if (type.name().equals("hstore")) return Reading.ofJson(JSON); // by the cast that comes with it
        if (!type.isBuiltIn() || type.kind() != 'b') return Reading.ofText();
        boolean isEpoch = timestamps == TimestampStorage.EPOCH_MICROS;
        return switch (type.name()) {
            case "int2", "int4", "int8" -> Reading.asIs(IntegerDecoder.SIGNED);
            case "oid" -> Reading.asIs(IntegerDecoder.OID);
            case "bool" -> Reading.asIs(PlainDecoder.BOOL);
            case "float4" -> Reading.asIs(FloatDecoder.FLOAT4);
            case "float8" -> Reading.asIs(FloatDecoder.FLOAT8);
            case "numeric" -> Reading.asIs(new NumericDecoder(numeric));
            case "text", "varchar", "name", "json" -> Reading.asIs(PlainDecoder.TEXT);
            case "jsonb" -> Reading.asIs(PlainDecoder.JSONB);
            case "bytea" -> Reading.asIs(PlainDecoder.BYTEA);
            // The cast to text writes a single address with its mask, the type's own output does not.
            case "inet" -> new Reading(INET, PlainDecoder.TEXT, true);
            case "uuid" -> Reading.asIs(new UuidDecoder());
            case "date" -> Reading.asIs(new TimeDecoder(Kind.DATE, isEpoch));
            case "time" -> Reading.asIs(new TimeDecoder(Kind.TIME, isEpoch));
            case "timetz" -> Reading.asIs(new TimeDecoder(Kind.TIMETZ, isEpoch));
            case "timestamp" -> Reading.asIs(new TimeDecoder(Kind.TIMESTAMP, isEpoch));
            case "timestamptz" -> Reading.asIs(new TimeDecoder(Kind.TIMESTAMPTZ, isEpoch));
            default -> Reading.ofText();
        };
    }

    /// @param modifier precision and scale, the scale in eleven bits with a sign
    private static String declaredNumeric(int modifier) {
        if (modifier < 4) return "";
        int precision = modifier - 4 >> 16 & 0xffff;
        int scale = (modifier - 4 & 0x7ff ^ 1024) - 1024;
        return precision <= EXACT_DIGITS ? "DECIMAL(%d,%d)".formatted(precision, scale) : "";
    }

    private static boolean isSpatial(PostgresType type) {
        return !type.isBuiltIn() && type.kind() == 'b' && SPATIAL.contains(type.name());
    }
}
