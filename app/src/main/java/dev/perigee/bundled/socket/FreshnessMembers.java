package dev.perigee.bundled.socket;

import dev.perigee.plugin.Json;
import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.FreshnessToken;
import java.util.LinkedHashMap;
import java.util.Map;

/// The members of an answer about freshness: `token` of a write to the external database, and `position`, `asOf`, `age`
/// in seconds and `guarantee` if the frame asks for them.
final class FreshnessMembers implements AnswerEvents {
    private final boolean isAsked;
    private final Map<String, Object> members = new LinkedHashMap<>();

    /// @param isAsked whether the frame has a member about freshness
    FreshnessMembers(boolean isAsked) {
        this.isAsked = isAsked;
    }

    @Override
    public void fresh(AnswerFreshness freshness) {
        if (!isAsked) return;
        if (!freshness.position().isEmpty()) members.put("position", freshness.position());
        if (!freshness.asOf().isEmpty()) members.put("asOf", freshness.asOf());
        freshness.age().ifPresent(age -> members.put("age", age.toSeconds()));
        if (!freshness.guarantee().isEmpty()) members.put("guarantee", freshness.guarantee());
    }

    @Override
    public void wrote(FreshnessToken token) {
        members.put("token", token.toString());
    }

    /// The members as JSON, each with a comma after it.
    String json() {
        if (members.isEmpty()) return "";
        String object = Json.MAPPER.writeValueAsString(members);
        return object.substring(1, object.length() - 1) + ",";
    }
}
