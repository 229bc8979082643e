package dev.perigee.store;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/// JFR event: how long one group of writes took, from its first write to its commit.
@Name("dev.perigee.WriteGroup")
@Label("Write Group")
@Category("Perigee")
@StackTrace(false)
final class WriteGroupEvent extends Event {
    @Label("Writes")
    int writes;

    /// Null until a recording was made in this process: making the first event starts JFR, which takes long.
    static @Nullable WriteGroupEvent begun() {
        if (!FlightRecorder.isInitialized()) return null;
        WriteGroupEvent event = new WriteGroupEvent();
        event.begin();
        return event;
    }

    void ended(int count) {
        writes = count;
        commit();
    }
}
