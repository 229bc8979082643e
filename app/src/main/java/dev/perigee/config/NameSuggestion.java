package dev.perigee.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/// Suggests the known name that a misspelled one was probably meant to be.
public final class NameSuggestion {
    private NameSuggestion() {}

    /// The known name nearest to `written`; case and the separators `_`, `-` and space do not count. Two letters may
    /// differ, or a third of them if that is more; in a name of fewer than four letters, one. Else it is empty.
    public static Optional<String> of(String written, Collection<String> known) {
        String plain = plain(written);
        int most = plain.length() < 4 ? 1 : Math.max(2, plain.length() / 3);
        return known.stream()
                .filter(name -> distance(plain, plain(name)) <= most)
                .min(Comparator.<String>comparingInt(name -> distance(plain, plain(name)))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /// The hint for an unknown name: the nearest known one, else all known ones.
    static String hint(String written, Collection<String> known) {
        return of(written, known)
                .map("did you mean \"%s\"?"::formatted)
                .orElseGet(() -> "expected one of "
                        + String.join(", ", known.stream().sorted().toList()));
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[_\\- ]", "");
    }

    /// Levenshtein distance: the letters to insert, remove or replace to turn one name into the other.
    private static int distance(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) row[j] = j;
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[to.length()];
    }
}
