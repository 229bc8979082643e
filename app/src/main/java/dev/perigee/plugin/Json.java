package dev.perigee.plugin;

import java.util.Map;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/// The JSON mapper that all rooms share. Absent optionals are left out; instants are ISO 8601 text.
public final class Json {
    public static final ObjectMapper MAPPER = JsonMapper.builder()
            .changeDefaultPropertyInclusion(
                    v -> v.withValueInclusion(com.fasterxml.jackson.annotation.JsonInclude.Include.NON_ABSENT))
            .build();

    private Json() {}

    static Response envelope(int status, String member, Object value) {
        byte[] bytes = MAPPER.writeValueAsBytes(Map.of(member, value));
        return new Response(status, "application/json", Map.of(), out -> out.write(bytes));
    }
}
