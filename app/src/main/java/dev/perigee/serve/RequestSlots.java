package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.statement.Caller;
import java.util.concurrent.Semaphore;

/// Limits the requests that run at once. Some places are reserved for admins, so that clients cannot lock them out.
final class RequestSlots {
    /// Requests that may run at once. Each may hold a small answer in memory.
    static final int MAX_RUNNING = 256;

    private final Semaphore all = new Semaphore(MAX_RUNNING);
    private final Semaphore clients;
    private final int clientPlaces;

    /// @param adminPlaces places that clients cannot take
    RequestSlots(int adminPlaces) {
        clientPlaces = Math.max(1, MAX_RUNNING - adminPlaces);
        clients = new Semaphore(clientPlaces);
    }

    /// The place of one request, which takes it when it begins to run. For one thread at a time.
    final class Place {
        private final boolean isAdmins;
        private boolean isTaken;

        private Place(boolean isAdmins) {
            this.isAdmins = isAdmins;
        }

        /// Does nothing for a request that has its place already.
        ///
        /// @return false if no place is free
        boolean tryTake() {
            if (isTaken) return true;
            if (!isAdmins && !clients.tryAcquire()) return false;
            isTaken = all.tryAcquire();
            if (!isTaken && !isAdmins) clients.release();
            return isTaken;
        }

        /// Does nothing for a request that has its place already.
        ///
        /// @throws PerigeeException [Fault#BUSY] if no place is free
        void take() {
            if (tryTake()) return;
            throw Fault.BUSY.saying(
                    "The server is busy with %d requests.".formatted(isAdmins ? MAX_RUNNING : clientPlaces));
        }

        void leave() {
            if (!isTaken) return;
            isTaken = false;
            all.release();
            if (!isAdmins) clients.release();
        }
    }

    Place of(Caller caller) {
        return new Place(caller.isAdmin());
    }
}
