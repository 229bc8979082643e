package dev.perigee.store;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/// JFR event: how long one checkpoint occupied the writer thread, and whether it emptied the WAL.
@Name("dev.perigee.Checkpoint")
@Label("Checkpoint")
@Category("Perigee")
@StackTrace(false)
final class CheckpointEvent extends Event {
    @Label("WAL Size Before")
    @DataAmount
    long walBytes;

    @Label("WAL Emptied")
    boolean isEmptied;

    /// Null until a recording was made in this process: making the first event starts JFR, which takes long.
    static @Nullable CheckpointEvent begun() {
        if (!FlightRecorder.isInitialized()) return null;
        CheckpointEvent event = new CheckpointEvent();
        event.begin();
        return event;
    }

    void ended(long bytesBefore, boolean isWalEmptied) {
        walBytes = bytesBefore;
        isEmptied = isWalEmptied;
        commit();
    }
}
