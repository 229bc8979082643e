package dev.perigee.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What a source's server answers, and what our user may see there. Tried and not inferred from rights: managed servers
/// grant functions that raise an error when they are called.
///
/// @param product name and version, and the service that runs it where it tells: `PostgreSQL 16.4 (Amazon Aurora)`
/// @param place where it is, without user and password
/// @param user the role that reads
/// @param isStandby whether it follows another server
/// @param isPooled whether a pooler stands between, which may give each transaction another session
/// @param extensions those installed that change how tables are read
/// @param answers whether each of the functions and views that proofs are made of answers, by name
/// @param sight how much of the open transactions it shows; the guarantee of every copy is derived from it
/// @param obstacles what stands in the way of all its tables
public record SourceReport(
        String product,
        String place,
        String user,
        boolean isStandby,
        boolean isPooled,
        List<String> extensions,
        Map<String, Boolean> answers,
        Horizon.Sight sight,
        List<Obstacle> obstacles) {

    public SourceReport {
        extensions = List.copyOf(extensions);
        obstacles = List.copyOf(obstacles);
    }

    /// The functions and views that do not answer.
    public List<String> refused() {
        List<String> refused = new ArrayList<>();
        answers.forEach((name, isAnswered) -> {
            if (!isAnswered) refused.add(name);
        });
        return refused;
    }
}
