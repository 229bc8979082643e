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

/// A table's settings as JSON: read strictly, with every mistake named by its field, and written. The rules of the
/// fields are those of [TableSettings].
public final class TableFields {
    private TableFields() {}

    /// The tables of a `POST` body: one object, or `{"tables": […]}`.
    ///
    /// @param known the settings of a table that is replicated already: what is not named stays
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
            mistakes.add("beside `tables` no other field is expected");
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
            if (!names.add(config.name())) mistakes.add("`name`: \"%s\" is there twice".formatted(config.name()));
        }
        refuse(mistakes);
        return configs;
    }

    /// The settings after a `PATCH` of those a table has.
    static TableConfig patched(TableConfig before, JsonNode body) {
        List<String> mistakes = new ArrayList<>();
        if (!body.isObject()) mistakes.add("the body is not an object");
        else if (body.isEmpty()) mistakes.add("the body has no field to change");
        Optional<TableConfig> after =
                mistakes.isEmpty() ? config(body, "", Optional.of(before), mistakes) : Optional.empty();
        if (after.isPresent() && !after.get().name().equals(before.name())) {
            mistakes.add("`name`: a table's name cannot be changed; remove it and add the other");
        }
        refuse(mistakes);
        return after.orElseThrow();
    }

    /// As `GET` shows it: every field that has a value.
    public static Map<String, Object> json(ConfiguredTable table) {
        Map<String, Object> json = TableSettings.fields(table.config());
        json.put("origin", ConfigRecords.word(table.origin()));
        return json;
    }

    /// As [#json(ConfiguredTable)], and why its schedule rests although nobody paused it.
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
