package dev.perigee.query.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.plugin.host.ProtectedTables.Protection;
import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.statement.Caller.Role;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What SQLite's compiler is answered when it asks, as it asks. `RightsTest` has the same by SQL, over HTTP.
class AccessRulesTest {
    private final ProtectedTables protectedTables = new ProtectedTables();
    private final AccessRules rules = new AccessRules(protectedTables);

    @BeforeEach
    void protect() {
        protectedTables.replace(Map.of(
                "copied", new Protection("test", "it is a copy", false),
                "sealed", new Protection("test", "nobody writes it", true)));
    }

    private Optional<PerigeeException> refusal(Role role, int action, @Nullable String arg1, @Nullable String arg2) {
        return rules.refusal(role, action, arg1, arg2, "main", null, false, null);
    }

    /// Of a statement that writes rows of `table`.
    private Optional<PerigeeException> write(Role role, int action, String table, @Nullable String trigger) {
        return rules.refusal(role, action, table, null, "main", trigger, true, table);
    }

    private static void assertRefused(Optional<PerigeeException> refusal, String what) {
        assertThat(refusal).get().satisfies(fault -> {
            assertThat(fault.fault()).isEqualTo(Fault.FORBIDDEN);
            assertThat(fault.getMessage()).contains(what);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "orders, true, true",
        "tmp_rls_policies, false, true",
        "TMP_anything, false, true",
        "tmpfiles, true, true",
        "sqlite_master, true, true",
        "SQLITE_SCHEMA, true, true",
        "sqlite_sequence, true, true",
        "sqlite_dbpage, false, false",
        "sqlite_stmt, false, false",
        "sqlite_temp_master, false, false",
        "dbstat, false, false",
        "Bytecode, false, false",
        "tables_used, false, false",
        "copied, true, true",
    })
    void tables_are_read_by_whom_they_are_for(String table, boolean byClients, boolean byAdmins) {
        assertThat(refusal(Role.CLIENT, AuthorizerAction.READ, table, "a").isEmpty())
                .isEqualTo(byClients);
        assertThat(refusal(Role.ADMIN, AuthorizerAction.READ, table, "a").isEmpty())
                .isEqualTo(byAdmins);
    }

    @Test
    void a_trigger_reads_none_of_perigees_tables_in_a_statement_that_writes_whoever_fires_it() {
        assertRefused(
                rules.refusal(Role.ADMIN, AuthorizerAction.READ, "tmp_query_log", "a", "main", "a_view", true, "t"),
                "trigger or view");
        assertThat(rules.refusal(
                        Role.ADMIN, AuthorizerAction.READ, "tmp_query_log", "a", "main", "a_view", false, null))
                .as("a statement that only reads")
                .isEmpty();
        assertThat(rules.refusal(
                        Role.ADMIN,
                        AuthorizerAction.READ,
                        "tmp_rls_policies",
                        "a",
                        "main",
                        "its_own",
                        true,
                        "TMP_RLS_policies"))
                .as("Perigee's trigger on the table that is written")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {AuthorizerAction.INSERT, AuthorizerAction.UPDATE, AuthorizerAction.DELETE})
    void rows_are_written_by_whom_the_table_lets(int action) {
        for (Role role : List.of(Role.CLIENT, Role.ADMIN)) {
            assertThat(write(role, action, "orders", null)).isEmpty();
            assertThat(write(role, action, "orders", "a_trigger")).isEmpty();
            assertRefused(write(role, action, "tmp_alarms", null), "tmp_alarms");
            assertRefused(write(role, action, "sealed", null), "nobody writes it");
            assertRefused(write(role, action, "COPIED", "a_trigger"), "it is a copy");
            assertRefused(write(role, action, "tmp_cron_tasks", "a_trigger"), "tmp_cron_tasks");
        }
        assertThat(write(Role.ADMIN, action, "copied", null)).isEmpty();
        assertRefused(write(Role.CLIENT, action, "Copied", null), "it is a copy");
        assertThat(write(Role.ADMIN, action, "TMP_cron_tasks", null)).isEmpty();
        assertRefused(write(Role.CLIENT, action, "tmp_cron_tasks", null), "for admins only");
    }

    @Test
    void a_copy_itself_is_changed_by_nobody_and_what_is_beside_it_by_admins() {
        for (Role role : List.of(Role.CLIENT, Role.ADMIN)) {
            assertRefused(refusal(role, AuthorizerAction.DROP_TABLE, "copied", null), "it is a copy");
            assertRefused(refusal(role, AuthorizerAction.ALTER_TABLE, "main", "copied"), "it is a copy");
            assertRefused(refusal(role, AuthorizerAction.CREATE_TABLE, "tmp_mine", null), "tmp_mine");
            assertRefused(refusal(role, AuthorizerAction.CREATE_INDEX, "tmp_index", "orders"), "tmp_index");
            assertRefused(refusal(role, AuthorizerAction.DROP_TRIGGER, "mine", "tmp_cron_tasks"), "tmp_cron_tasks");
            assertThat(refusal(role, AuthorizerAction.CREATE_TABLE, "orders", null))
                    .isEmpty();
            assertThat(refusal(role, AuthorizerAction.ALTER_TABLE, "main", "orders"))
                    .isEmpty();
            assertThat(refusal(role, AuthorizerAction.CREATE_VIEW, "seen", null))
                    .isEmpty();
            assertThat(refusal(role, AuthorizerAction.CREATE_TRIGGER, "mine", "orders"))
                    .isEmpty();
        }
        assertThat(refusal(Role.ADMIN, AuthorizerAction.CREATE_INDEX, "by_name", "copied"))
                .isEmpty();
        assertRefused(refusal(Role.CLIENT, AuthorizerAction.CREATE_INDEX, "by_name", "copied"), "it is a copy");
        assertRefused(refusal(Role.CLIENT, AuthorizerAction.CREATE_TRIGGER, "mine", "copied"), "it is a copy");
    }

    @ParameterizedTest
    @CsvSource({
        "table_info, orders, true, true",
        "TABLE_INFO, orders, true, true",
        "foreign_key_check, , true, true",
        "encoding, , true, true",
        "encoding, 'UTF-16', false, false",
        "journal_mode, delete, false, false",
        "database_list, , false, true",
        "integrity_check, 5, false, true",
        "writable_schema, 1, false, false",
        "trusted_schema, , false, false",
        "temp_store_directory, /tmp, false, false",
    })
    void pragmas_look_and_change_nothing(
            String name, @Nullable String argument, boolean isForClients, boolean isForAdmins) {
        assertThat(refusal(Role.CLIENT, AuthorizerAction.PRAGMA, name, argument).isEmpty())
                .isEqualTo(isForClients);
        assertThat(refusal(Role.ADMIN, AuthorizerAction.PRAGMA, name, argument).isEmpty())
                .isEqualTo(isForAdmins);
    }

    @ParameterizedTest
    @CsvSource({
        "upper, true, true",
        "load_extension, false, false",
        "LOAD_Extension, false, false",
        "perigee_change_note, false, false",
        "Perigee_Change_x, false, false",
        "perigee_studio_changed, false, true",
    })
    void functions_that_serve_perigee_are_not_for_callers(String name, boolean isForClients, boolean isForAdmins) {
        assertThat(refusal(Role.CLIENT, AuthorizerAction.FUNCTION, null, name).isEmpty())
                .isEqualTo(isForClients);
        assertThat(refusal(Role.ADMIN, AuthorizerAction.FUNCTION, null, name).isEmpty())
                .isEqualTo(isForAdmins);
    }

    @Test
    void other_files_transactions_and_temporary_things_are_out_of_reach() {
        for (Role role : List.of(Role.CLIENT, Role.ADMIN)) {
            assertRefused(refusal(role, AuthorizerAction.ATTACH, "x.db", null), "other files");
            assertRefused(refusal(role, AuthorizerAction.DETACH, "x", null), "other files");
            assertThat(refusal(role, AuthorizerAction.TRANSACTION, "BEGIN", null))
                    .get()
                    .satisfies(fault -> assertThat(fault.getMessage()).contains("BEGIN", "\"transaction\""));
            assertThat(refusal(role, AuthorizerAction.SAVEPOINT, "BEGIN", "a")).isPresent();
            assertThat(rules.refusal(role, AuthorizerAction.CREATE_TABLE, "x", null, "TEMP", null, false, null))
                    .get()
                    .satisfies(fault -> assertThat(fault.getMessage()).contains("Temporary"));
            assertThat(refusal(role, AuthorizerAction.CREATE_TEMP_VIEW, "x", null))
                    .get()
                    .satisfies(fault -> assertThat(fault.getMessage()).contains("Temporary"));
        }
    }

    @Test
    void what_works_on_the_whole_file_is_for_admins() {
        for (int action : List.of(
                AuthorizerAction.ANALYZE, AuthorizerAction.CREATE_VIRTUAL_TABLE, AuthorizerAction.DROP_VIRTUAL_TABLE)) {
            assertRefused(refusal(Role.CLIENT, action, "found", "fts5"), "admins only");
            assertThat(refusal(Role.ADMIN, action, "found", "fts5")).isEmpty();
        }
        assertThat(refusal(Role.CLIENT, AuthorizerAction.REINDEX, "by_name", null))
                .isEmpty();
    }
}
