package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.statement.Caller;
import java.util.concurrent.Semaphore;

/// The requests that run at once. A share of the places is left to admins, so that clients cannot shut them out.
final class RequestSlots {
    /// Requests under way at once; each may hold a small answer in memory.
    static final int MAX_RUNNING = 256;

    private final Semaphore all = new Semaphore(MAX_RUNNING);
    private final Semaphore clients;
    private final int clientPlaces;

    /// @param adminPlaces how many clients cannot take
    RequestSlots(int adminPlaces) {
        clientPlaces = Math.max(1, MAX_RUNNING - adminPlaces);
        clients = new Semaphore(clientPlaces);
    }

    /// One request's place, which it may take once. For one thread at a time.
    final class Place {
        private final boolean isAdmins;
        private boolean isTaken;

        private Place(boolean isAdmins) {
            this.isAdmins = isAdmins;
        }

        /// @return false if there is none
        boolean tryTake() {
            if (isTaken) return true;
            if (!isAdmins && !clients.tryAcquire()) return false;
            isTaken = all.tryAcquire();
            if (!isTaken && !isAdmins) clients.release();
            return isTaken;
        }

        /// Does nothing for a request that has its place already.
        ///
        /// @throws PerigeeException [Fault#BUSY] if there is none
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
