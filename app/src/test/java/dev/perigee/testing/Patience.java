package dev.perigee.testing;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// How long tests wait for what must happen before they call it missing: a minute, where Awaitility takes ten seconds,
/// which a busy machine needs for things that take one on a quiet one. What happens is not waited for any longer: it is
/// looked for every 20 ms, where Awaitility takes 100.
///
/// JUnit finds it by itself, for all test classes.
public final class Patience implements BeforeAllCallback {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Duration PAUSE = Duration.ofMillis(20);

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultTimeout(LIMIT);
        Awaitility.setDefaultPollInterval(PAUSE);
    }
}
