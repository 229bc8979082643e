package dev.perigee.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What a source's server answers, and what our user may see there. Each function is called, and nothing is inferred
/// from rights: managed servers grant functions that raise an error when they are called.
///
/// @param answers by the name of each function and view that proofs need: whether the server answers it
/// @param sight how many of its open transactions it shows; the guarantee of every copy is derived from it
/// @param obstacles obstacles that concern the source as a whole
public record SourceReport(Server server, Map<String, Boolean> answers, Horizon.Sight sight, List<Obstacle> obstacles) {

    /// The server, and how our user reaches it.
    ///
    /// @param product name and version, with the hosting service where the server shows it:
    ///     `PostgreSQL 16.4 (Amazon Aurora)`
    /// @param place where it is, without user and password
    /// @param user the role that reads
    /// @param isStandby whether it follows another server
    /// @param isPooled whether a connection pooler stands between, which may run each transaction in another session
    /// @param extensions the installed extensions that change how tables are read
    public record Server(
            String product, String place, String user, boolean isStandby, boolean isPooled, List<String> extensions) {
        public Server {
            extensions = List.copyOf(extensions);
        }
    }

    public SourceReport {
        obstacles = List.copyOf(obstacles);
    }

    /// The functions and views that the server does not answer.
    public List<String> refused() {
        List<String> refused = new ArrayList<>();
        answers.forEach((name, isAnswered) -> {
            if (!isAnswered) refused.add(name);
        });
        return refused;
    }
}
