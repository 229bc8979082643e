package dev.perigee.source.postgres.statement;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// Looks at the text of an expression that is put into a statement between parentheses, before the server sees it. Text
/// that passes cannot end the parentheses, the statement or a comment around it, whatever it says.
///
/// Forms that are hard to read by eye, or that the server reads by its settings, are refused: comments, backslashes,
/// dollar quotes, parameters and Unicode escapes. Everything has another form.
///
/// @param text the expression
public record ExpressionText(String text) {
    /// What PostgreSQL reads as the current time in a constant of a date or time type.
    private static final Pattern TIME_WORD = Pattern.compile("now|today|tomorrow|yesterday");

    private static final Pattern UNICODE_ESCAPE = Pattern.compile("(?i)(^|[^a-z0-9_$\u0080-\uffff])u&['\"]");

    /// Why the text is refused, for people; empty where it may be sent.
    public Optional<String> refusal() {
        if (text.chars().anyMatch(c -> Character.isISOControl(c) && c != '\n' && c != '\r' && c != '\t')) {
            return Optional.of("it has a control character");
        }
        if (text.indexOf('\\') >= 0) return Optional.of("it has a backslash; write [0-9] for a digit in a pattern");
        if (UNICODE_ESCAPE.matcher(text).find()) return Optional.of("it has a Unicode escape");
        return tokens();
    }

    /// Whether its constants have a word that means the time at which a statement is read, such as `today`.
    public boolean hasTimeWord() {
        StringBuilder constants = new StringBuilder();
        SqlLexer lexer = new SqlLexer(text);
        for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
            String token = lexer.text();
            // Constants that follow one another on several lines are one constant.
            if (kind == SqlLexer.Kind.STRING) constants.append(token, 1, token.length() - 1);
        }
        return TIME_WORD.matcher(constants.toString().toLowerCase(Locale.ROOT)).find();
    }

    private Optional<String> tokens() {
        StringBuilder open = new StringBuilder();
        SqlLexer lexer = new SqlLexer(text);
        for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
            String token = lexer.text();
            Optional<String> refusal = switch (kind) {
                case SPACE -> token.isBlank() ? Optional.empty() : Optional.of("it has a comment");
                case PARAMETER -> Optional.of("it has the parameter " + token);
                case STRING -> quoted(token, '\'');
                case WORD -> token.startsWith("\"") ? quoted(token, '"') : Optional.empty();
                case SYMBOL -> symbol(token.charAt(0), open);
                case END -> Optional.empty();
            };
            if (refusal.isPresent()) return refusal;
        }
        return open.isEmpty() ? Optional.empty() : Optional.of("a bracket is not closed");
    }

    private static Optional<String> quoted(String token, char quote) {
        if (token.charAt(0) != quote) return Optional.of("it has a constant in another form than '…'");
        boolean isClosed =
                token.length() > 1 && token.chars().filter(c -> c == quote).count() % 2 == 0;
        return isClosed ? Optional.empty() : Optional.of("a quote is not closed");
    }

    private static Optional<String> symbol(char c, StringBuilder open) {
        switch (c) {
            case ';', '$' -> {
                return Optional.of("it has the character " + c);
            }
            case '(', '[' -> open.append(c);
            case ')', ']' -> {
                char opening = c == ')' ? '(' : '[';
                int last = open.length() - 1;
                if (last < 0 || open.charAt(last) != opening)
                    return Optional.of("it closes a bracket that is not open");
                open.setLength(last);
            }
            default -> {}
        }
        return Optional.empty();
    }
}
