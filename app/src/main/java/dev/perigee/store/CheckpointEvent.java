package dev.perigee.store;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

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
}
