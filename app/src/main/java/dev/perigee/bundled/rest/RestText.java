package dev.perigee.bundled.rest;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.ArrayList;
import java.util.List;

/// Reads lists of a query string from left to right: `1,2`, `"a,b",c`, `(age.gt.40,city.is.null)`.
///
/// A value that begins with a double quote ends with one; a double quote inside it is doubled.
final class RestText {
    private final String text;
    private int at;

    RestText(String text) {
        this.text = text;
    }

    /// The items of a list separated by commas. Blanks around items without quotes do not count.
    static List<String> items(String list) {
        RestText reader = new RestText(list);
        boolean hasParentheses = reader.skip("(");
        List<String> items = reader.itemsUpTo(hasParentheses ? ",)" : ",");
        if (hasParentheses) reader.expect(")");
        if (!reader.isAtEnd()) throw reader.unexpected();
        return items;
    }

    /// The items up to the end of the list. Within parentheses there may be none.
    ///
    /// @param ends a comma, and the character that ends the list, if any
    List<String> itemsUpTo(String ends) {
        List<String> items = new ArrayList<>();
        boolean isEmpty = ends.endsWith(")")
                && ahead(ends).isBlank()
                && text.startsWith(")", at + ahead(ends).length());
        if (isEmpty) {
            at += ahead(ends).length();
            return items;
        }
        do {
            boolean isQuoted = text.startsWith("\"", at);
            String item = value(ends);
            items.add(isQuoted ? item : item.strip());
        } while (skip(","));
        return items;
    }

    /// A value in quotes, or up to one of `ends`.
    String value(String ends) {
        if (!skip("\"")) {
            int start = at;
            while (!isAtEnd() && ends.indexOf(text.charAt(at)) < 0) at++;
            return text.substring(start, at);
        }
        StringBuilder value = new StringBuilder();
        while (true) {
            int quote = text.indexOf('"', at);
            if (quote < 0)
                throw Fault.INVALID_REQUEST.saying("A double quote in \"%s\" is not closed.".formatted(text));
            value.append(text, at, quote);
            at = quote + 1;
            if (!skip("\"")) return value.toString();
            value.append('"');
        }
    }

    /// The text up to one of `ends`, without consuming it.
    String ahead(String ends) {
        int end = at;
        while (end < text.length() && ends.indexOf(text.charAt(end)) < 0) end++;
        return text.substring(at, end);
    }

    boolean skip(String expected) {
        if (!text.startsWith(expected, at)) return false;
        at += expected.length();
        return true;
    }

    void expect(String expected) {
        if (!skip(expected)) throw unexpected();
    }

    boolean isAtEnd() {
        return at == text.length();
    }

    PerigeeException unexpected() {
        return Fault.INVALID_REQUEST.saying(
                isAtEnd()
                        ? "\"%s\" ends too early.".formatted(text)
                        : "\"%s\" cannot be read from character %d on.".formatted(text, at + 1));
    }
}
