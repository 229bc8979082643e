package dev.perigee.source.postgres.catalog;

import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.SourceColumn.Option;
import dev.perigee.source.StructureText;
import dev.perigee.source.ValueType;
import dev.perigee.source.ValueType.Content;
import dev.perigee.source.postgres.decode.ColumnReading;
import dev.perigee.source.postgres.decode.FloatDecoder;
import dev.perigee.source.postgres.decode.IntegerDecoder;
import dev.perigee.source.postgres.decode.JsonForm;
import dev.perigee.source.postgres.decode.NumericDecoder;
import dev.perigee.source.postgres.decode.PlainDecoder;
import dev.perigee.source.postgres.decode.StructureDecoder;
import dev.perigee.source.postgres.decode.TimeDecoder;
import dev.perigee.source.postgres.decode.TimeDecoder.Kind;
import dev.perigee.source.postgres.decode.UuidDecoder;
import dev.perigee.source.postgres.session.PostgresNames;
import java.util.Optional;
import java.util.Set;

/// The type table: for each type of PostgreSQL, what the copy's column is declared as, and how its values are fetched.
///
/// A declared type is chosen for the affinity that it gives. `JSON` or `TIMESTAMP` would give NUMERIC, which turns the
/// JSON text `123` into a number. Types that are not named here are fetched as the source's own text, so that no type
/// makes a table fail.
public final class PostgresTypes {
    /// The most digits of a numeric that SQLite's NUMERIC affinity keeps exact.
    private static final int EXACT_DIGITS = 15;

    /// Types of extensions, known by name because their numbers differ from database to database.
    private static final Set<String> EXTENSION_TEXT = Set.of("citext");

    static final Set<String> SPATIAL = Set.of("geometry", "geography");

    private static final String INET = "pg_catalog.textin(pg_catalog.inet_out(%1$s))";

    private static final String XML = "pg_catalog.textin(pg_catalog.xml_out(%1$s))";

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

    /// What a user should know about how values are stored.
    static Optional<String> note(CatalogColumn column) {
        PostgresType type = column.type();
        boolean isKnown = type.isBuiltIn()
                || type.kind() != 'b'
                || type.category() == 'A'
                || EXTENSION_TEXT.contains(type.name())
                || isSpatial(type)
                || type.name().equals("hstore");
        if (isKnown) return Optional.empty();
        return Optional.of("unknown type %s: its values are kept in the source's text form".formatted(type.name()));
    }

    /// The table setting that changes how values are stored.
    static Option option(PostgresType type) {
        if (!type.isBuiltIn()) return Option.NONE;
        return switch (type.name()) {
            case "numeric" -> Option.NUMERIC;
            case "timestamp", "timestamptz" -> Option.TIMESTAMPS;
            default -> Option.NONE;
        };
    }

    /// How values are fetched. A type that is not named is fetched in its text form, which PostgreSQL has for every
    /// type.
    public static ColumnReading reading(PostgresType type, NumericStorage numeric, TimestampStorage timestamps) {
        if (isSpatial(type)) return ColumnReading.asIs(PlainDecoder.BYTEA); // its binary form is EWKB
        if (type.structure().isPresent())
            return ColumnReading.ofStructure(type.structure().get());
        if (!type.isBuiltIn() || type.kind() != 'b') return ColumnReading.ofText();
        boolean isEpoch = timestamps == TimestampStorage.EPOCH_MICROS;
        return switch (type.name()) {
            case "int2", "int4", "int8" -> ColumnReading.asIs(IntegerDecoder.SIGNED);
            case "oid" -> ColumnReading.asIs(IntegerDecoder.OID);
            case "bool" -> ColumnReading.asIs(PlainDecoder.BOOL);
            case "float4" -> ColumnReading.asIs(FloatDecoder.FLOAT4);
            case "float8" -> ColumnReading.asIs(FloatDecoder.FLOAT8);
            case "numeric" -> ColumnReading.asIs(new NumericDecoder(numeric));
            case "text", "varchar", "name", "json" -> ColumnReading.asIs(PlainDecoder.TEXT);
            case "jsonb" -> ColumnReading.asIs(PlainDecoder.JSONB);
            case "bytea" -> ColumnReading.asIs(PlainDecoder.BYTEA);
            // The cast to text writes a single address with its mask; the type's own output does not.
            case "inet" -> new ColumnReading(INET, PlainDecoder.TEXT, true);
            // The cast keeps the declaration of an encoding that the text no longer has.
            case "xml" -> new ColumnReading(XML, PlainDecoder.TEXT, true);
            case "uuid" -> ColumnReading.asIs(new UuidDecoder());
            case "date" -> ColumnReading.asIs(new TimeDecoder(Kind.DATE, isEpoch));
            case "time" -> ColumnReading.asIs(new TimeDecoder(Kind.TIME, isEpoch));
            case "timetz" -> ColumnReading.asIs(new TimeDecoder(Kind.TIMETZ, isEpoch));
            case "timestamp" -> ColumnReading.asIs(new TimeDecoder(Kind.TIMESTAMP, isEpoch));
            case "timestamptz" -> ColumnReading.asIs(new TimeDecoder(Kind.TIMESTAMPTZ, isEpoch));
            default -> ColumnReading.ofText();
        };
    }

    /// Whether the type may contain other types, which the catalog must be asked for.
    public static boolean mayBeStructure(PostgresType type) {
        return type.kind() == 'c'
                || type.kind() == 'm'
                || type.category() == 'A'
                || type.kind() == 'b' && type.name().equals("hstore");
    }

    /// What callers' statements need to know about the type.
    static ValueType values(PostgresType type) {
        JsonForm form = type.structure().orElse(JsonForm.Scalar.TEXT);
        Optional<StructureText> structure = type.structure().map(StructureDecoder::new);
        if (form instanceof JsonForm.Array(JsonForm element, char delimiter)) {
            return new ValueType(
                    castTo(type), Optional.of("pg_catalog"), content(element), Optional.of(delimiter), structure);
        }
        boolean isBuiltIn = type.isBuiltIn() && type.kind() == 'b';
        Content content = switch (isBuiltIn ? type.name() : "") {
            case "bytea" -> Content.BYTES;
            case "json", "jsonb" -> Content.JSON;
            case "date", "timestamp", "timestamptz" -> Content.DATE;
            default -> Content.OTHER;
        };
        return new ValueType(castTo(type), type.operators(), content, Optional.empty(), structure);
    }

    private static String castTo(PostgresType type) {
        return PostgresNames.name(type.schema()) + "." + PostgresNames.name(type.name());
    }

    private static Content content(JsonForm element) {
        if (element == JsonForm.Scalar.BYTES) return Content.BYTES;
        if (element == JsonForm.Scalar.TIME) return Content.DATE;
        return element == JsonForm.Scalar.JSON ? Content.JSON : Content.OTHER;
    }

    /// @param modifier precision and scale, the scale as a signed number of eleven bits
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
