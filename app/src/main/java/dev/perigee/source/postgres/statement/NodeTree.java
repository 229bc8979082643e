package dev.perigee.source.postgres.statement;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads the text form of PostgreSQL's node trees, as `debug_print_parse` shows them:
/// `{OPEXPR :opno 96 :args ({VAR :varattno 1} …)}`.
final class NodeTree {
    /// A part of a tree.
    sealed interface Part {}

    /// A number, a name, a quoted text, or `<>` for nothing.
    record Token(String text) implements Part {}

    record Items(List<Part> parts) implements Part {}

    /// @param fields what follows each field's name
    record Node(String name, Map<String, List<Part>> fields) implements Part {
        /// The field's only token; empty where there is none.
        Optional<String> token(String field) {
            List<Part> parts = fields.getOrDefault(field, List.of());
            return parts.size() == 1 && parts.getFirst() instanceof Token(String text)
                    ? Optional.of(text)
                    : Optional.empty();
        }

        /// A number in the field; 0 where there is none.
        long number(String field) {
            return token(field)
                    .filter(text -> text.matches("-?[0-9]{1,18}"))
                    .map(Long::parseLong)
                    .orElse(0L);
        }

        /// The nodes in the field, also those in a list.
        List<Node> nodes(String field) {
            List<Node> nodes = new ArrayList<>();
            add(fields.getOrDefault(field, List.of()), nodes);
            return nodes;
        }

        /// The nodes in all fields.
        List<Node> nodes() {
            List<Node> nodes = new ArrayList<>();
            fields.values().forEach(parts -> add(parts, nodes));
            return nodes;
        }

        private static void add(List<Part> parts, List<Node> nodes) {
            for (Part part : parts) {
                switch (part) {
                    case Node node -> nodes.add(node);
                    case Items(var items) -> add(items, nodes);
                    case Token _ -> {}
                }
            }
        }
    }

    private final String text;
    private int at;

    private NodeTree(String text) {
        this.text = text;
    }

    /// @throws IllegalArgumentException where the text is no tree
    static Node read(String text) {
        NodeTree tree = new NodeTree(text);
        if (tree.part() instanceof Node node) return node;
        throw new IllegalArgumentException("not a node");
    }

    private Part part() {
        return switch (peek()) {
            case '{' -> node();
            case '(' -> new Items(items());
            default -> new Token(token());
        };
    }

    private Node node() {
        at++;
        String name = token();
        Map<String, List<Part>> fields = new LinkedHashMap<>();
        List<Part> current = new ArrayList<>();
        while (peek() != '}') {
            if (peek() == ':') {
                current = new ArrayList<>();
                fields.put(token().substring(1), current);
            } else {
                current.add(part());
            }
        }
        at++;
        return new Node(name, fields);
    }

    private List<Part> items() {
        at++;
        List<Part> items = new ArrayList<>();
        while (peek() != ')') items.add(part());
        at++;
        return items;
    }

    /// The next character that is not white space.
    private char peek() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
        if (at == text.length()) throw new IllegalArgumentException("the tree ends early");
        return text.charAt(at);
    }

    /// A backslash takes the next character as it is.
    private String token() {
        int start = at;
        while (at < text.length() && "(){} \t\r\n".indexOf(text.charAt(at)) < 0) at += text.charAt(at) == '\\' ? 2 : 1;
        if (at == start) throw new IllegalArgumentException("a token is missing");
        at = Math.min(at, text.length());
        return text.substring(start, at);
    }
}
