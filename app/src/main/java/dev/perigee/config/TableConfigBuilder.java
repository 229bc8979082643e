package dev.perigee.config;

import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.config.TableConfig.Finding;
import dev.perigee.config.TableConfig.Layout;
import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.Reading;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.Schedule;
import dev.perigee.config.TableConfig.StampedBy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Makes a changed copy of a table's settings, for code in this program. An admin's changes come through
/// [TableSettings], which checks them; nothing is checked here. Not thread-safe.
public final class TableConfigBuilder {
    private final String name;
    private Finding finding;
    private Schedule schedule;
    private Layout layout;
    private int pageRows;
    private Optional<String> group;
    private GuaranteeSettings promises;
    private Reading reading;

    TableConfigBuilder(TableConfig before) {
        this.name = before.name();
        this.finding = before.finding();
        this.schedule = before.schedule();
        this.layout = before.layout();
        this.pageRows = before.pageRows();
        this.group = before.group();
        this.promises = before.promises();
        this.reading = before.reading();
    }

    public TableConfigBuilder cron(String fields, String zone) {
        schedule = new Schedule(
                schedule.interval(), Optional.empty(), Optional.of(fields), Optional.of(zone), schedule.paused());
        return this;
    }

    public TableConfigBuilder idleInterval(Duration longest) {
        schedule = new Schedule(
                schedule.interval(), Optional.of(longest), schedule.cron(), schedule.timeZone(), schedule.paused());
        return this;
    }

    public TableConfigBuilder paused(boolean isPaused) {
        schedule = new Schedule(
                schedule.interval(), schedule.idleInterval(), schedule.cron(), schedule.timeZone(), isPaused);
        return this;
    }

    public TableConfigBuilder cursorColumn(Optional<String> column) {
        finding = new Finding(finding.mode(), column, finding.nullCursor());
        return this;
    }

    public TableConfigBuilder nullCursor(NullCursor choice) {
        finding = new Finding(finding.mode(), finding.cursorColumn(), choice);
        return this;
    }

    public TableConfigBuilder layout(Layout choice) {
        layout = choice;
        return this;
    }

    public TableConfigBuilder key(List<String> columns) {
        return layout(layout.withNames(columns, layout.columns(), layout.exclude()));
    }

    public TableConfigBuilder target(Optional<String> target) {
        return layout(new Layout(
                layout.key(),
                layout.columns(),
                layout.exclude(),
                target,
                layout.indexes(),
                layout.numeric(),
                layout.timestamps(),
                layout.droppedColumns()));
    }

    public TableConfigBuilder droppedColumns(DroppedColumns choice) {
        return layout(new Layout(
                layout.key(),
                layout.columns(),
                layout.exclude(),
                layout.target(),
                layout.indexes(),
                layout.numeric(),
                layout.timestamps(),
                choice));
    }

    public TableConfigBuilder pageRows(int rows) {
        pageRows = rows;
        return this;
    }

    public TableConfigBuilder group(String other) {
        group = Optional.of(other);
        return this;
    }

    public TableConfigBuilder settle(Duration time) {
        promises = new GuaranteeSettings(
                time, promises.stampedBy(), promises.verify(), promises.deletes(), promises.maxDeletedShare());
        return this;
    }

    public TableConfigBuilder stampedBy(StampedBy choice) {
        promises = new GuaranteeSettings(
                promises.settle(), choice, promises.verify(), promises.deletes(), promises.maxDeletedShare());
        return this;
    }

    public TableConfigBuilder verify(Duration interval) {
        promises = new GuaranteeSettings(
                promises.settle(),
                promises.stampedBy(),
                Optional.of(interval),
                promises.deletes(),
                promises.maxDeletedShare());
        return this;
    }

    public TableConfigBuilder deletes(Deletes choice) {
        promises = new GuaranteeSettings(
                promises.settle(), promises.stampedBy(), promises.verify(), choice, promises.maxDeletedShare());
        return this;
    }

    public TableConfigBuilder maxDeletedShare(double share) {
        promises = new GuaranteeSettings(
                promises.settle(), promises.stampedBy(), promises.verify(), promises.deletes(), share);
        return this;
    }

    public TableConfigBuilder rowSecurity(RowSecurity choice) {
        reading = new Reading(choice, reading.where(), reading.masks());
        return this;
    }

    public TableConfigBuilder where(Optional<String> condition) {
        reading = new Reading(reading.rowSecurity(), condition, reading.masks());
        return this;
    }

    public TableConfigBuilder masks(Map<String, String> expressions) {
        reading = new Reading(reading.rowSecurity(), reading.where(), expressions);
        return this;
    }

    public TableConfig build() {
        return new TableConfig(name, finding, schedule, layout, pageRows, group, promises, reading);
    }
}
