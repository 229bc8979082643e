package dev.perigee.replication;

import dev.perigee.plugin.Json;
import java.util.List;

/// Lists of names as they are kept in one column: JSON arrays of strings.
final class Lists {
    private Lists() {}

    static List<String> ofJson(String json) {
        return List.of(Json.MAPPER.readValue(json, String[].class));
    }

    static String toJson(List<String> names) {
        return Json.MAPPER.writeValueAsString(names);
    }
}
