package dev.perigee;

import dev.perigee.bundled.cdc.CdcPlugin;
import dev.perigee.query.QueryWorker;
import dev.perigee.worker.WorkerProcess;

/// The main class of a worker process. The server starts it; people do not.
public final class WorkerMain {
    private WorkerMain() {}

    public static void main(String[] arguments) {
        WorkerProcess.run(wire -> QueryWorker.open(wire, CdcPlugin::inWorker));
    }
}
