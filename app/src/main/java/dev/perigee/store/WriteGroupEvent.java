package dev.perigee.store;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// JFR event: how long one group of writes took, from its first write to its commit.
@Name("dev.perigee.WriteGroup")
@Label("Write Group")
@Category("Perigee")
@StackTrace(false)
final class WriteGroupEvent extends Event {
    @Label("Writes")
    int writes;
}
