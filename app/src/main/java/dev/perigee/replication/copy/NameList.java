package dev.perigee.replication.copy;

import dev.perigee.plugin.Json;
import java.util.List;

/// Lists of names as they are stored in one column: JSON arrays of strings.
public final class NameList {
    private NameList() {}

    public static List<String> ofJson(String json) {
        return List.of(Json.MAPPER.readValue(json, String[].class));
    }

    public static String toJson(List<String> names) {
        return Json.MAPPER.writeValueAsString(names);
    }
}
