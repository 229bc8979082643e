package dev.perigee.replication.run;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableSettings;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.ConfiguredTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;

/// Reads and writes a table's settings as JSON. Reading is strict, and reports all mistakes at once, each with its
/// field. The rules of the fields are in [TableSettings].
public final class TableFields {
    private TableFields() {}

    /// Reads the body of `POST /replication/tables`: the settings of one table, or `{"tables": […]}`.
    ///
    /// @param known gives the present settings of a table, if it is replicated already; fields that the body leaves out
    ///     keep their values
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] naming every field that is wrong
    public static List<TableConfig> tables(JsonNode body, Function<String, Optional<TableConfig>> known) {
        List<String> mistakes = new ArrayList<>();
        List<TableConfig> configs = new ArrayList<>();
        if (!body.isObject()) {
            mistakes.add("the body is not an object");
        } else if (!body.has("tables")) {
            config(body, "", before(body, known), mistakes).ifPresent(configs::add);
        } else if (!body.get("tables").isArray() || body.get("tables").isEmpty()) {
            mistakes.add("`tables`: expected an array with at least one table");
        } else if (body.size() > 1) {
            mistakes.add("expected no other field next to `tables`");
        } else if (body.get("tables").size() > Tables.MAX_TABLES) {
            mistakes.add("`tables`: expected at most %d tables".formatted(Tables.MAX_TABLES));
        } else {
            int i = 0;
            for (JsonNode table : body.get("tables")) {
                config(table, "tables[%d]".formatted(i++), before(table, known), mistakes)
                        .ifPresent(configs::add);
            }
        }
        Set<String> names = new HashSet<>();
        for (TableConfig config : configs) {
            if (!names.add(config.name())) mistakes.add("`name`: \"%s\" is given twice".formatted(config.name()));
        }
        refuse(mistakes);
        return configs;
    }

    /// Reads the body of a `PATCH`: the settings `before` with the fields that the body names changed.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] naming every field that is wrong
    static TableConfig patched(TableConfig before, JsonNode body) {
        List<String> mistakes = new ArrayList<>();
        if (!body.isObject()) mistakes.add("the body is not an object");
        else if (body.isEmpty()) mistakes.add("the body has no field to change");
        Optional<TableConfig> after =
                mistakes.isEmpty() ? config(body, "", Optional.of(before), mistakes) : Optional.empty();
        if (after.isPresent() && !after.get().name().equals(before.name())) {
            mistakes.add("`name`: a table's name cannot be changed; remove the table and add it under the new name");
        }
        refuse(mistakes);
        return after.orElseThrow();
    }

    /// A table's settings as `GET /replication/tables` shows them: every field that has a value, and `origin`.
    public static Map<String, Object> json(ConfiguredTable table) {
        Map<String, Object> json = TableSettings.fields(table.config());
        json.put("origin", ConfigRecords.word(table.origin()));
        return json;
    }

    /// As [#json(ConfiguredTable)], with `paused`, and with `pausedBecause` for a table that the configuration file no
    /// longer names.
    public static Map<String, Object> json(TableRunner table) {
        Map<String, Object> json = json(table.table());
        json.put("paused", table.isPaused());
        table.whyPaused().ifPresent(why -> json.put("pausedBecause", why));
        return json;
    }

    private static Optional<TableConfig> before(JsonNode table, Function<String, Optional<TableConfig>> known) {
        return known.apply(table.path("name").asString(""));
    }

    private static void refuse(List<String> mistakes) {
        if (mistakes.isEmpty()) return;
        throw Fault.INVALID_REQUEST.in("the request's body", String.join("; ", mistakes), "Nothing was changed");
    }

    private static Optional<TableConfig> config(
            JsonNode node, String path, Optional<TableConfig> before, List<String> mistakes) {
        if (!node.isObject()) {
            mistakes.add("`%s`: expected an object".formatted(path));
            return Optional.empty();
        }
        Map<String, @Nullable Object> fields = Json.MAPPER.convertValue(node, new TypeReference<>() {});
        return TableSettings.read(
                fields,
                before,
                (field, expected) ->
                        mistakes.add("`%s`: %s".formatted(path.isEmpty() ? field : path + "." + field, expected)));
    }
}
