package dev.perigee.alarm;

import dev.perigee.config.StoreConfig;
import dev.perigee.store.Store;
import java.nio.file.Path;
import java.time.InstantSource;

/// The child of [AlarmCrashTest]: its handler takes the process down, as a native crash would.
final class DieInHandler {
    private DieInHandler() {}

    public static void main(String[] args) {
        Store store = Store.open(StoreConfig.of(Path.of(args[0])));
        Alarms alarms = new Alarms(store, InstantSource.system());
        alarms.handler("a", attempt -> {
            System.out.println("ATTEMPT " + attempt);
            Runtime.getRuntime().halt(9);
        });
        alarms.start();
    }
}
