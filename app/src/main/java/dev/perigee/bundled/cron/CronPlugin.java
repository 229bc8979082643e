package dev.perigee.bundled.cron;

import dev.perigee.bundled.cron.CronRun.Outcome;
import dev.perigee.bundled.cron.CronTasks.Known;
import dev.perigee.bundled.cron.CronTasks.State;
import dev.perigee.bundled.cron.CronTasks.Task;
import dev.perigee.config.CronConfig;
import dev.perigee.config.CronConfig.Missed;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.StopWait;
import dev.perigee.plugin.CronEvent;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/// Runs the tasks of `tmp_cron_tasks` when they are due: calls the plugins, then the task's `callback_host`.
public final class CronPlugin extends StarbasePlugin {
    /// Maximum number of runs that call plugins or a callback at once; others wait for a place.
    private static final int MAX_RUNNING = 16;

    private static final int ATTEMPTS = 3;

    /// A run that would begin later than this after its due time counts as missed.
    private static final Duration LATE = Duration.ofSeconds(60);

    /// Delays after which the tasks are read again once a statement has touched them. It may commit at once, or take
    /// long.
    private static final List<Duration> LOOKS =
            List.of(Duration.ofMillis(50), Duration.ofMillis(500), Duration.ofSeconds(15));

    private static final Duration STOP_WAIT = Duration.ofSeconds(15);
    private static final Logger LOG = LoggerFactory.getLogger(CronPlugin.class);

    private final CronConfig config;
    private final String secret;
    private final Duration firstPause;
    private final Duration callbackLimit;
    private final Set<String> running = ConcurrentHashMap.newKeySet();
    private final Set<Duration> planned = ConcurrentHashMap.newKeySet();
    private final Semaphore places = new Semaphore(MAX_RUNNING);
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("perigee-cron").factory());
    private @Nullable PluginHost host;
    private @Nullable CronTasks tasks;
    private @Nullable CronCallback callback;
    private @Nullable CronMetrics metrics;
    private volatile boolean isStarted;

    /// @param adminToken the signing key of callbacks is derived from it if no secret is configured
    public CronPlugin(CronConfig config, String adminToken) {
        this(config, adminToken, Duration.ofSeconds(2), CronCallback.LIMIT);
    }

    /// @param firstPause the pause before a failed callback is tried again; the next is five times as long
    /// @param callbackLimit how long a callback may take to be answered
    CronPlugin(CronConfig config, String adminToken, Duration firstPause, Duration callbackLimit) {
        super("starbasedb:cron", true, "/cron");
        this.config = config;
        this.secret = config.secret().orElseGet(() -> CronCallback.derivedKey(adminToken));
        this.firstPause = firstPause;
        this.callbackLimit = callbackLimit;
    }

    @Override
    public void register(PluginHost given) {
        host = given;
        tasks = new CronTasks(given, config.callbackHosts(), this::lookSoon);
        callback = new CronCallback(secret, given.clock(), callbackLimit);
        metrics = new CronMetrics(given.metrics(), running::size);
        given.route("POST", "/callback", Access.ADMIN, this::told);
        given.route("POST", "/tasks/:name/run", Access.ADMIN, this::runNow);
    }

    @Override
    public void start() {
        isStarted = true;
        look();
    }

    @Override
    public void onAlarm(int attempt) {
        look();
    }

    @Override
    public void onClockSetBack() {
        lookSoon();
    }

    @Override
    public void stop() {
        isStarted = false;
        looks.shutdownNow();
        StopWait.until(running::isEmpty, STOP_WAIT);
        if (callback != null) callback.close();
    }

    private void lookSoon() {
        if (!isStarted) return;
        for (Duration pause : LOOKS) {
            if (!planned.add(pause)) continue; // It is planned already, however often a statement asks.
            var _ = looks.schedule(
                    host().store().threads().step("cron", () -> {
                        planned.remove(pause);
                        lookSafely();
                    }),
                    pause.toMillis(),
                    TimeUnit.MILLISECONDS);
        }
    }

    private void lookSafely() {
        try {
            look();
        } catch (RuntimeException e) {
            LOG.warn("The scheduled tasks could not be read; they are read again when the next is due", e);
        }
    }

    /// Begins the runs that are due, and sets the alarm for the next one.
    private synchronized void look() {
        if (!isStarted) return;
        tasks().tidy();
        Instant now = host().clock().instant();
        Optional<Instant> next = Optional.empty();
        for (Known known : tasks().all()) {
            if (!known.task().isActive()) continue;
            Optional<Instant> due = plan(known, now);
            if (due.isPresent() && (next.isEmpty() || due.get().isBefore(next.get()))) next = due;
        }
        if (next.isPresent()) host().setAlarm(next.get());
        else host().clearAlarm();
    }

    /// Begins the task's run if it is due. A task that cannot run is paused.
    ///
    /// @return when the task runs next; empty if it cannot run
    private Optional<Instant> plan(Known known, Instant now) {
        Task task = known.task();
        try {
            CronTab tab = CronTab.of(task.cronTab());
            CronTasks.payload(task.payload());
            task.callbackHost().ifPresent(tasks()::callback);
            Optional<State> state =
                    known.state().filter(kept -> kept.cronTab().equals(task.cronTab()) && kept.dueMillis() > 0);
            if (state.isEmpty()) {
                Instant first = tab.after(now);
                tasks().due(task, first);
                return Optional.of(first);
            }
            Instant due = Instant.ofEpochMilli(state.get().dueMillis());
            Instant next = tab.after(now);
            // A task is planned one time ahead, further only if the clock was ahead and was set back. One time more is
            // allowed, because the run in between may have happened before the clock was set back.
            boolean isTooFar = due.isAfter(next) && due.isAfter(tab.after(next));
            if (due.isAfter(now) && !isTooFar) return Optional.of(due);
            if (isTooFar) {
                tasks().due(task, next);
                return Optional.of(next);
            }
            tasks().due(task, next); // Before the run: one that crashes the process would otherwise begin again at each
            // start.
            boolean isMissed = Duration.between(due, now).compareTo(LATE) > 0 && config.missed() == Missed.SKIP;
            if (isMissed) note(task, due, now, Outcome.MISSED, "its time passed while the server was not running");
            else begin(task, due);
            return Optional.of(next);
        } catch (PerigeeException e) {
            LOG.warn("The task {} is paused: {}", task.name(), e.getMessage());
            tasks().disable(task, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private void begin(Task task, Instant due) {
        Instant now = host().clock().instant();
        if (!running.add(task.name())) {
            note(task, due, now, Outcome.OVERLAPPED, "the run before it had not ended");
            return;
        }
        launch(task, due);
    }

    /// Starts a run on a thread of its own. The caller has added the task to `running`.
    private void launch(Task task, Instant due) {
        AtomicInteger parts = new AtomicInteger(1);
        Thread.ofVirtual()
                .name("perigee-cron-run")
                .start(host().store().threads().step("cron-run", () -> {
                    try {
                        ran(run(task, due, parts));
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    } catch (RuntimeException e) {
                        LOG.error("A run of the task {} could not be recorded", task.name(), e);
                    } finally {
                        leave(task, parts);
                    }
                }));
    }

    /// The task may run again once all parts of a run are over.
    private void leave(Task task, AtomicInteger parts) {
        if (parts.decrementAndGet() == 0) running.remove(task.name());
    }

    private CronRun run(Task task, Instant due, AtomicInteger parts) throws InterruptedException {
        Instant started = host().clock().instant();
        long begin = System.nanoTime();
        CronEvent event = new CronEvent(task.name(), task.cronTab(), task.payload(), due);
        Optional<String> error = inPlace(() -> tellPlugins(task, event, parts));
        int attempts = 0;
        if (task.callbackHost().isPresent()) {
            String to = task.callbackHost().get();
            Optional<String> failure = Optional.of("it was not tried");
            Duration pause = firstPause;
            while (failure.isPresent() && attempts < ATTEMPTS) {
                if (attempts > 0) {
                    TimeUnit.NANOSECONDS.sleep(pause.toNanos());
                    pause = pause.multipliedBy(5);
                }
                attempts++;
                failure = inPlace(() -> call(to, event));
            }
            if (failure.isPresent()) error = Optional.of("%s: %s".formatted(to, failure.get()));
        }
        long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        return new CronRun(
                task.name(), due, started, ms, error.isEmpty() ? Outcome.DONE : Outcome.FAILED, attempts, error);
    }

    /// Runs a step while holding a place. A run that waits for its next attempt holds none.
    private Optional<String> inPlace(Step step) throws InterruptedException {
        places.acquire();
        try {
            return step.run();
        } finally {
            places.release();
        }
    }

    private interface Step {
        /// @return why it failed; empty if it succeeded
        Optional<String> run() throws InterruptedException;
    }

    /// Calls the plugins. Past `cron.pluginLimit` they are interrupted and no longer waited for; the task does not run
    /// again while they are still at work.
    private Optional<String> tellPlugins(Task task, CronEvent event, AtomicInteger parts) throws InterruptedException {
        FutureTask<Map<String, String>> telling = new FutureTask<>(() -> host().tellCron(event));
        parts.incrementAndGet();
        Thread thread = Thread.ofPlatform()
                .daemon()
                .name("perigee-cron-plugins")
                .start(() -> {
                    telling.run();
                    leave(task, parts);
                });
        try {
            Map<String, String> failures = telling.get(config.pluginLimit().toMillis(), TimeUnit.MILLISECONDS);
            return failures.isEmpty() ? Optional.empty() : Optional.of("plugins failed: " + failures);
        } catch (ExecutionException e) {
            return Optional.of("plugins failed: " + e.getCause());
        } catch (TimeoutException _) {
            thread.interrupt();
            return Optional.of("plugins took longer than cron.pluginLimit, which is %s ms"
                    .formatted(config.pluginLimit().toMillis()));
        }
    }

    private Optional<String> call(String callbackHost, CronEvent event) throws InterruptedException {
        CronCallback calls = callback;
        if (calls == null) throw new IllegalStateException("the plugin is not registered");
        try {
            URI address = tasks().callback(callbackHost);
            calls.send(address, tasks().isNamed(address), event);
            return Optional.empty();
        } catch (IOException | PerigeeException e) {
            return Optional.of(e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
        }
    }

    private void ran(CronRun run) {
        if (metrics != null) metrics.ran(run);
        tasks().ran(run);
    }

    private void note(Task task, Instant due, Instant now, Outcome outcome, String why) {
        ran(new CronRun(task.name(), due, now, 0, outcome, 0, Optional.of(why)));
    }

    /// `POST /cron/callback`: another server says that its tasks are due, and the plugins here are called.
    private Response told(Request request) {
        JsonNode body = request.json();
        if (!body.isArray())
            throw Fault.INVALID_REQUEST.saying("The body must be an array of {name, cron_tab, payload}.");
        for (JsonNode each : body) {
            if (!each.isObject() || !each.path("name").isString()) {
                throw Fault.INVALID_REQUEST.saying("Each task must have a \"name\".");
            }
        }
        for (JsonNode each : body) {
            Map<String, String> failures = host().tellCron(new CronEvent(
                    each.get("name").asString(),
                    each.path("cron_tab").asString(""),
                    each.has("payload") ? each.get("payload").toString() : "{}",
                    host().clock().instant()));
            if (!failures.isEmpty()) LOG.warn("Plugins failed on a task that another server reported: {}", failures);
        }
        return Response.result(Map.of("success", true));
    }

    private Response runNow(Request request) {
        String name = request.pathParameter("name");
        Task task = tasks().all().stream()
                .map(Known::task)
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> Fault.NOT_FOUND.saying("There is no task '%s'.".formatted(name)));
        CronTasks.payload(task.payload());
        if (!running.add(name)) {
            throw Fault.CONFLICT.saying("The task '%s' is already running.".formatted(name));
        }
        launch(task, host().clock().instant());
        return Response.result(202, Map.of("started", true));
    }

    private PluginHost host() {
        if (host == null) throw new IllegalStateException("the plugin is not registered");
        return host;
    }

    private CronTasks tasks() {
        if (tasks == null) throw new IllegalStateException("the plugin is not registered");
        return tasks;
    }
}
