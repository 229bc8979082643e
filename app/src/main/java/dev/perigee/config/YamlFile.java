package dev.perigee.config;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/// A YAML file: knows the place of each node, and replaces `${VARIABLE}` in values.
final class YamlFile {
    /// A value, and whether a message may quote it: not if it came from the environment, since it may be a secret.
    record Scalar(String value, boolean isShown) {}

    private static final int MAX_CHARACTERS = 1 << 20;
    private static final Pattern VARIABLE = Pattern.compile("\\$(\\$)?\\{([^}]*)}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private final String label;
    private final Map<String, String> environment;
    private final ConfigErrors mistakes;

    /// @param label the file's name in messages
    YamlFile(String label, Map<String, String> environment, ConfigErrors mistakes) {
        this.label = label;
        this.environment = environment;
        this.mistakes = mistakes;
    }

    /// The whole file. Empty, with a mistake reported, if it is not valid YAML.
    Optional<Section> read(String text) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(label)
                .setUseMarks(true)
                .setCodePointLimit(MAX_CHARACTERS)
                .build();
        try {
            Node root = new Compose(settings).composeString(text).orElse(null);
            return Optional.of(new Section(this, "", root));
        } catch (MarkedYamlEngineException e) {
            mistakes.add(place(e.getProblemMark().or(e::getContextMark)), "YAML", String.valueOf(e.getProblem()));
        } catch (YamlEngineException e) {
            mistakes.add(label, "YAML", "expected one document of at most %d characters".formatted(MAX_CHARACTERS));
        }
        return Optional.empty();
    }

    void wrong(@Nullable Node node, String field, String expected) {
        mistakes.add(place(node == null ? Optional.empty() : node.getStartMark()), field, expected);
    }

    ConfigErrors mistakes() {
        return mistakes;
    }

    String place(Optional<Mark> mark) {
        return mark.map(at -> "%s:%d:%d".formatted(label, at.getLine() + 1, at.getColumn() + 1))
                .orElse(label);
    }

    /// A value with its variables replaced; `$${` stands for `${`. Empty, with a mistake reported, if a variable is
    /// missing.
    Optional<Scalar> scalar(ScalarNode node, String field) {
        Matcher matcher = VARIABLE.matcher(node.getValue());
        StringBuilder text = new StringBuilder();
        boolean isShown = true;
        while (matcher.find()) {
            if (matcher.group(1) != null) {
                matcher.appendReplacement(text, Matcher.quoteReplacement("${" + matcher.group(2) + "}"));
                continue;
            }
            String name = matcher.group(2);
            String value = environment.get(name);
            if (value == null) {
                // Text that is not a name may be a piece of a secret, so the message does not quote it.
                boolean isName = NAME.matcher(name).matches();
                wrong(
                        node,
                        field,
                        isName
                                ? "the environment has no variable " + name
                                : "expected ${NAME} with a variable's name; $${ stands for ${ itself");
                return Optional.empty();
            }
            isShown = false;
            matcher.appendReplacement(text, Matcher.quoteReplacement(value));
        }
        matcher.appendTail(text);
        return Optional.of(new Scalar(text.toString(), isShown));
    }
}
