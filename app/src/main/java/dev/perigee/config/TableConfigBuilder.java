package dev.perigee.config;

import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.StampedBy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Makes a changed copy of a table's settings, for code in this program. An admin's changes come through
/// [TableSettings], which checks them; nothing is checked here. Not thread-safe.
public final class TableConfigBuilder {
    private final TableConfig before;
    private Optional<String> cron;
    private Optional<String> timeZone;
    private List<String> key;
    private Optional<String> target;
    private int pageRows;
    private NullCursor nullCursor;
    private Optional<String> group;
    private GuaranteeSettings promises;
    private DroppedColumns droppedColumns;
    private RowSecurity rowSecurity;
    private boolean paused;

    TableConfigBuilder(TableConfig before) {
        this.before = before;
        this.cron = before.cron();
        this.timeZone = before.timeZone();
        this.key = before.key();
        this.target = before.target();
        this.pageRows = before.pageRows();
        this.nullCursor = before.nullCursor();
        this.group = before.group();
        this.promises = before.promises();
        this.droppedColumns = before.droppedColumns();
        this.rowSecurity = before.rowSecurity();
        this.paused = before.paused();
    }

    public TableConfigBuilder cron(String fields, String zone) {
        cron = Optional.of(fields);
        timeZone = Optional.of(zone);
        return this;
    }

    public TableConfigBuilder key(List<String> columns) {
        key = columns;
        return this;
    }

    public TableConfigBuilder target(Optional<String> name) {
        target = name;
        return this;
    }

    public TableConfigBuilder pageRows(int rows) {
        pageRows = rows;
        return this;
    }

    public TableConfigBuilder nullCursor(NullCursor choice) {
        nullCursor = choice;
        return this;
    }

    public TableConfigBuilder group(String name) {
        group = Optional.of(name);
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

    public TableConfigBuilder droppedColumns(DroppedColumns choice) {
        droppedColumns = choice;
        return this;
    }

    public TableConfigBuilder rowSecurity(RowSecurity choice) {
        rowSecurity = choice;
        return this;
    }

    public TableConfigBuilder paused(boolean isPaused) {
        paused = isPaused;
        return this;
    }

    public TableConfig build() {
        return new TableConfig(
                before.name(),
                before.mode(),
                before.cursorColumn(),
                before.interval(),
                cron,
                timeZone,
                key,
                before.columns(),
                before.exclude(),
                target,
                pageRows,
                nullCursor,
                before.indexes(),
                before.numeric(),
                before.timestamps(),
                group,
                promises,
                droppedColumns,
                rowSecurity,
                paused);
    }
}
