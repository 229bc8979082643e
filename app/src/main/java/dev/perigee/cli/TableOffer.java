package dev.perigee.cli;

import dev.perigee.config.TableConfig;
import dev.perigee.plugin.Json;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Shows which tables of a source can be copied, in which mode, by which cursor and why, and which cannot.
final class TableOffer {
    /// The offer as `--json` shows it.
    private record Offer(String source, List<Map<String, Object>> tables) {}

    private final List<Choice> choices;
    private final String place;

    TableOffer(List<Choice> choices, String place) {
        this.choices = choices;
        this.place = place;
    }

    void print(boolean json, PrintWriter out) {
        if (json) out.println(Json.MAPPER.writeValueAsString(new Offer(place, plain())));
        else table(out);
        out.flush();
    }

    /// Asks the user whether to copy. Only `y` and `yes` count as a yes.
    boolean isAccepted(InputStream in, PrintWriter out, int count, Path to) throws IOException {
        out.printf("%nCopy %s into %s? [y/N] ", count == 1 ? "this table" : "these " + count + " tables", to);
        out.flush();
        String answer = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine();
        return answer != null && List.of("y", "yes").contains(answer.strip().toLowerCase(Locale.ROOT));
    }

    /// The table's name as `--table` takes it: quoted where it is not plain.
    static String name(TableId id) {
        return part(id.schema()) + "." + part(id.name());
    }

    private static String part(String name) {
        return name.matches("[a-z_][a-z0-9_$]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }

    /// `by updated_at`, or `in mode xmin`.
    static String how(TableConfig config) {
        return config.cursorColumn()
                .map("by %s"::formatted)
                .orElseGet(() -> "in mode " + config.mode().name().toLowerCase(Locale.ROOT));
    }

    private void table(PrintWriter out) {
        out.println(place);
        out.println();
        TextTable text = new TextTable(List.of("table", "rows, about", "how", "because"));
        for (Choice choice : choices) {
            text.add(List.of(
                    name(choice.table().id()),
                    rows(choice.table()),
                    choice.config().map(TableOffer::how).orElse("-"),
                    choice.config().isPresent() ? choice.reason() : "not copied: " + choice.reason()));
        }
        text.print(out);
    }

    private List<Map<String, Object>> plain() {
        return choices.stream().map(TableOffer::plain).toList();
    }

    static String rows(SourceTable table) {
        return table.estimate().rows() < 0
                ? "?"
                : String.format(Locale.ROOT, "%,d", table.estimate().rows());
    }

    static Map<String, Object> plain(Choice choice) {
        Map<String, Object> table = new LinkedHashMap<>();
        table.put("table", name(choice.table().id()));
        table.put("estimatedRows", choice.table().estimate().rows());
        choice.config().ifPresent(config -> {
            table.put("name", config.name());
            table.put("mode", config.mode().name().toLowerCase(Locale.ROOT));
            config.cursorColumn().ifPresent(column -> table.put("cursorColumn", column));
        });
        table.put("canCopy", choice.config().isPresent());
        table.put("reason", choice.reason());
        return table;
    }
}
