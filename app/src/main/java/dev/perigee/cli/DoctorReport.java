package dev.perigee.cli;

import dev.perigee.replication.SourceView;
import dev.perigee.replication.SourceView.ObstacleView;
import dev.perigee.replication.TableOutlook;
import dev.perigee.replication.state.Problem;
import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Obstacle.Effect;
import dev.perigee.source.SourceReport;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Shows what `perigee doctor` found, as text for people and as JSON for programs.
record DoctorReport(PrintWriter out) {
    void print(SourceReport report, List<TableOutlook> tables, Map<String, Problem> trouble) {
        source(report);
        if (tables.isEmpty() && trouble.isEmpty()) return;
        out.println();
        TextTable text = new TextTable(List.of("table", "rows, about", "how", "guarantee"));
        for (TableOutlook outlook : tables) {
            text.add(List.of(
                    TableOffer.name(outlook.choice().table().id()),
                    TableOffer.rows(outlook.choice().table()),
                    outlook.choice().config().map(TableOffer::how).orElse("-"),
                    outlook.isWrong() ? "WRONG" : outlook.guarantee().orElse("-")));
        }
        trouble.keySet().forEach(name -> text.add(List.of(name, "?", "-", "WRONG")));
        text.print(out);
        for (TableOutlook outlook : tables) about(outlook);
        trouble.forEach((name, problem) -> {
            out.println();
            out.println(name);
            out.println("  wrong: " + problem.message());
        });
        out.println();
        long wrong = tables.stream().filter(TableOutlook::isWrong).count() + trouble.size();
        out.println(
                wrong == 0
                        ? "Nothing would be copied wrongly."
                        : "%d of %d tables would be copied wrongly, or cannot be copied."
                                .formatted(wrong, tables.size() + trouble.size()));
    }

    static Map<String, Object> plain(SourceView source, List<TableOutlook> tables, Map<String, Problem> trouble) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (TableOutlook outlook : tables) {
            Map<String, Object> table = new LinkedHashMap<>(TableOffer.plain(outlook.choice()));
            outlook.guarantee().ifPresent(guarantee -> table.put("guarantee", guarantee));
            table.put("isWrong", outlook.isWrong());
            table.put("obstacles", ObstacleView.of(outlook.obstacles()));
            all.add(table);
        }
        trouble.forEach((name, problem) -> {
            Map<String, Object> table = new LinkedHashMap<>();
            table.put("table", name);
            table.put("canCopy", false);
            table.put("isWrong", true);
            table.put("error", problem);
            all.add(table);
        });
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", trouble.isEmpty() && tables.stream().noneMatch(TableOutlook::isWrong));
        answer.put("source", source);
        answer.put("tables", all);
        return answer;
    }

    private void source(SourceReport report) {
        SourceReport.Server server = report.server();
        out.printf("%s at %s, read as %s%n", server.product(), server.place(), server.user());
        if (server.isStandby()) out.println("It is a standby.");
        if (server.isPooled()) {
            out.println(
                    "A connection pooler is in between: each transaction may run in another session, which is fine.");
        }
        if (!server.extensions().isEmpty()) out.println("Extensions: " + String.join(", ", server.extensions()));
        out.println(
                report.sight() == Horizon.Sight.ALL
                        ? "It shows all its open transactions, so copies can be `complete`."
                        : "It does not show all open transactions, so copies in mode cursor are `settled` at best.");
        obstacles(report.obstacles());
    }

    private void about(TableOutlook outlook) {
        out.println();
        out.println(TableOffer.name(outlook.choice().table().id()));
        out.println("  " + (outlook.choice().config().isPresent() ? "" : "not copied: ")
                + outlook.choice().reason());
        obstacles(outlook.obstacles());
    }

    private void obstacles(List<Obstacle> obstacles) {
        for (Obstacle obstacle : obstacles) {
            out.println("  %s: %s".formatted(word(obstacle.effect()), obstacle.what()));
            for (int i = 0; i < obstacle.statements().size(); i++) {
                out.println(
                        (i == 0 ? "      " : "   or ") + obstacle.statements().get(i) + ";");
            }
        }
    }

    private static String word(Effect effect) {
        return effect.name().toLowerCase(Locale.ROOT);
    }
}
