package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import java.nio.file.Path;

/// The child of [DataFolderLockTest]: opens the store, says so, and keeps it until its standard input ends.
final class HoldFolder {
    private HoldFolder() {}

    public static void main(String[] args) throws Exception {
        try (Store store = Store.open(StoreConfig.of(Path.of(args[0])))) {
            System.out.println("OPEN " + store.file());
            while (System.in.read() >= 0) {}
        }
    }
}
