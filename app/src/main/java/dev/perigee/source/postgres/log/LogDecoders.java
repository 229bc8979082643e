package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.postgres.catalog.PostgresType;
import dev.perigee.source.postgres.catalog.PostgresTypes;
import dev.perigee.source.postgres.decode.CheckedText;
import dev.perigee.source.postgres.decode.ColumnReading;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.PlainDecoder;
import dev.perigee.source.postgres.decode.StructureDecoder;

/// How a value in PostgreSQL's own text form becomes what a pull stores.
///
/// The stream is read in text form, because many types have no binary form that equals what a pull reads: arrays,
/// composites, ranges, `interval`, `inet`, `money` and all types of extensions. For those a pull reads the text too.
final class LogDecoders {
    private LogDecoders() {}

    /// @param isUnchecked whether the database does not check its texts (`SQL_ASCII`)
    static Decoder of(PostgresType type, NumericStorage numeric, TimestampStorage timestamps, boolean isUnchecked) {
        Decoder decoder = of(type, numeric, timestamps);
        boolean isText =
                decoder == PlainDecoder.TEXT || decoder == PaddedText.DECODER || decoder instanceof StructureDecoder;
        return isUnchecked && isText && !isNumeric(type) ? new CheckedText(decoder) : decoder;
    }

    private static Decoder of(PostgresType type, NumericStorage numeric, TimestampStorage timestamps) {
        ColumnReading reading = PostgresTypes.reading(type, numeric, timestamps);
        if (reading.decoder() == PlainDecoder.BYTEA) return new HexText(); // PostGIS, or bytea
        if (reading.decoder() instanceof StructureDecoder) return reading.decoder();
        if (!type.isBuiltIn() || type.kind() != 'b') return PlainDecoder.TEXT;
        boolean isEpoch = timestamps == TimestampStorage.EPOCH_MICROS;
        return switch (type.name()) {
            case "int2", "int4", "int8", "oid" -> NumberText.INTEGER;
            case "float4", "float8" -> NumberText.FLOAT;
            case "numeric" -> NumberText.numeric(numeric);
            case "bool" -> BoolText.DECODER;
            case "bpchar" -> PaddedText.DECODER;
            case "date", "time", "timetz" -> TimeText.ofDateOrTime();
            case "timestamp" -> TimeText.ofTimestamp(false, isEpoch);
            case "timestamptz" -> TimeText.ofTimestamp(true, isEpoch);
            default -> PlainDecoder.TEXT;
        };
    }

    private static boolean isNumeric(PostgresType type) {
        return type.isBuiltIn() && type.name().equals("numeric");
    }

    /// `t` or `f`.
    private enum BoolText implements Decoder {
        DECODER;

        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            batch.putInt(bytes[offset] == 't' ? 1 : 0);
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return bytes[offset] == 't' ? "true" : "false";
        }
    }
}
