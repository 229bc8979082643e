package dev.perigee.replication.state;

import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A row of the source that could not be stored, as `GET /replication/tables/:name/set-aside` shows it.
///
/// @param key the key's values as texts that the source reads; empty where a value is NULL or has no such text
/// @param fault the name of the [dev.perigee.fault.Fault] that storing the row failed with
/// @param source each column's value as text; of a value that is too long, an object with its beginning (`begin`) and
///     its length (`bytes`)
/// @param tries how often storing it failed
public record SetAside(
        Optional<JsonNode> key,
        String fault,
        String message,
        JsonNode source,
        Instant firstSeen,
        Instant lastTried,
        long tries) {}
