package dev.perigee;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Fills the lines of `///` and `//` comments that stand on lines of their own, as one would by hand.
///
/// A paragraph ends where Markdown or a documentation tag ends it: at an empty line, a list's item, a heading, a table,
/// a code block, a tag. Tables, code, and text with columns (two blanks inside a line) stay as they are. So does all
/// that is inside of text blocks.
final class CommentFlow {
    private static final Pattern COMMENT = Pattern.compile("^( *)(///?)(?: (.*))?$");
    private static final Pattern ITEM = Pattern.compile("^( *(?:[-*+]|\\d+[.)]) +)(.*)$");
    private static final Pattern ALONE = Pattern.compile("^ *(?:#|>|\\||<[a-z/!]).*");

    /// What would begin a list, a quotation, a heading or a tag at the start of a line.
    private static final Pattern NOT_FIRST = Pattern.compile("[-*+>|]+|#+|\\d+[.)]|@\\w.*");

    private static final Pattern COLUMNS = Pattern.compile("\\S {2,}\\S");
    private static final String TEXT_BLOCK = "\"\"\"";
    private static final String FENCE = "```";
    /// Longer code is broken up between its words.
    private static final int MAX_CODE = 100;

    private static final String TAG_CONTINUATION = "    ";

    private final int columns;
    private final List<String> out = new ArrayList<>();

    private CommentFlow(int columns) {
        this.columns = columns;
    }

    /// @param source a Java file's text
    /// @param columns how long a line may be
    static String fill(String source, int columns) {
        CommentFlow flow = new CommentFlow(columns);
        flow.read(source.lines().toList());
        return String.join("\n", flow.out) + "\n";
    }

    private void read(List<String> lines) {
        boolean isInTextBlock = false;
        int next = 0;
        while (next < lines.size()) {
            String line = lines.get(next);
            Matcher comment = COMMENT.matcher(line);
            if (!isInTextBlock && comment.matches()) {
                int end = next + 1;
                while (end < lines.size() && isOfSameBlock(comment, lines.get(end))) end++;
                String start = comment.group(1) + comment.group(2);
                block(
                        start,
                        lines.subList(next, end).stream()
                                .map(each -> textOf(start, each))
                                .toList());
                next = end;
                continue;
            }
            if (line.split(TEXT_BLOCK, -1).length % 2 == 0) isInTextBlock = !isInTextBlock;
            out.add(line);
            next++;
        }
    }

    private static boolean isOfSameBlock(Matcher first, String line) {
        Matcher other = COMMENT.matcher(line);
        return other.matches()
                && other.group(1).equals(first.group(1))
                && other.group(2).equals(first.group(2));
    }

    private static String textOf(String start, String line) {
        return line.substring(Math.min(line.length(), start.length() + 1)).stripTrailing();
    }

    private void block(String start, List<String> texts) {
        int next = 0;
        while (next < texts.size()) {
            String text = texts.get(next);
            int end = next + 1;
            if (text.strip().startsWith(FENCE)) {
                while (end < texts.size() && !texts.get(end).strip().startsWith(FENCE)) end++;
                end = Math.min(end + 1, texts.size());
                keep(start, texts.subList(next, end));
            } else if (text.isEmpty()
                    || text.startsWith(TAG_CONTINUATION)
                    || ALONE.matcher(text).matches()) {
                keep(start, texts.subList(next, end));
            } else {
                while (end < texts.size() && continues(texts.get(end))) end++;
                paragraph(start, texts.subList(next, end));
            }
            next = end;
        }
    }

    private static boolean continues(String text) {
        return !text.isEmpty()
                && !text.startsWith("@")
                && !text.strip().startsWith(FENCE)
                && !ITEM.matcher(text).matches()
                && !ALONE.matcher(text).matches();
    }

    private void keep(String start, List<String> texts) {
        for (String text : texts) out.add(text.isEmpty() ? start : start + " " + text);
    }

    private void paragraph(String start, List<String> texts) {
        if (texts.stream().anyMatch(text -> COLUMNS.matcher(text).find())) {
            keep(start, texts);
            return;
        }
        Matcher item = ITEM.matcher(texts.getFirst());
        String marker = item.matches() ? item.group(1) : "";
        String indent = texts.getFirst().startsWith("@") ? TAG_CONTINUATION : " ".repeat(marker.length());
        String words = String.join(" ", texts).strip().substring(marker.strip().length());
        StringBuilder line = new StringBuilder(start).append(' ').append(marker);
        boolean isFirst = true;
        for (String word : units(words)) {
            if (!isFirst && line.length() + 1 + word.length() > columns) {
                out.add(line.toString());
                line = new StringBuilder(start).append(' ').append(indent);
                isFirst = true;
            }
            if (!isFirst) line.append(' ');
            line.append(word);
            isFirst = false;
        }
        out.add(line.toString());
    }

    /// Words, each with those after it that no line can begin with. What stands between two backticks stays together.
    private static List<String> units(String text) {
        List<String> units = new ArrayList<>();
        for (String word : text.strip().split(" +")) {
            boolean isGlued =
                    !units.isEmpty() && (NOT_FIRST.matcher(word).matches() || isInCode(units.getLast(), word));
            units.add(isGlued ? units.removeLast() + " " + word : word);
        }
        return units;
    }

    private static boolean isInCode(String unit, String next) {
        boolean isOpen = unit.chars().filter(c -> c == '`').count() % 2 != 0;
        return isOpen && unit.length() + next.length() < MAX_CODE;
    }
}
