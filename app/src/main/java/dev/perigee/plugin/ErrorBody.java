package dev.perigee.plugin;

import dev.perigee.fault.PerigeeException;
import dev.perigee.statement.StaleException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/// The JSON of an error: `{"error": message}`. For copies that are not fresh enough, also which ones, and when they may
/// be (`eta`, in milliseconds).
public final class ErrorBody {
    private ErrorBody() {}

    public static Map<String, Object> of(PerigeeException failure) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("error", failure.getMessage());
        if (failure instanceof StaleException stale) {
            body.put("tables", stale.tables().stream().map(ErrorBody::table).toList());
            stale.eta().map(Duration::toMillis).ifPresent(eta -> body.put("eta", eta));
        }
        return body;
    }

    private static Map<String, Object> table(StaleException.Stale stale) {
        Map<String, Object> table = new LinkedHashMap<>();
        table.put("table", stale.table());
        if (!stale.asOf().isEmpty()) table.put("asOf", stale.asOf());
        stale.behindMillis().ifPresent(behind -> table.put("behind", behind));
        return table;
    }
}
