package dev.perigee.replication.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// When rows are removed without asking: few of them, or a small share.
class MassDeleteGuardTest {
    private static TableConfig table(double share) {
        return TableConfig.of("orders", "id", Duration.ofHours(1)).toBuilder()
                .maxDeletedShare(share)
                .build();
    }

    @ParameterizedTest(name = "{0} of {1} rows, share {2}, confirmed {3}: {4}")
    @CsvSource({
        // Nothing to remove, also of an empty copy.
        "0, 0, 0.2, 0, false",
        "0, 100000, 0.2, 0, false",
        // Few rows are removed whatever share they are, unless none would be left.
        "999, 1001, 0.2, 0, false",
        "999, 999, 0.2, 0, true",
        "1, 1, 0.2, 0, true",
        // Many rows, by their share.
        "1000, 5000, 0.2, 0, false",
        "1001, 5000, 0.2, 0, true",
        "1000, 4999, 0.2, 0, true",
        "20000, 100000, 0.2, 0, false",
        "20001, 100000, 0.2, 0, true",
        // With a share of 1 nobody is asked.
        "5000, 5000, 1, 0, false",
        // What was confirmed, and as many rows more as need no word.
        "50000, 100000, 0.2, 50000, false",
        "70000, 100000, 0.2, 50000, false",
        "70001, 100000, 0.2, 50000, true",
        "3000, 4000, 0.2, 2000, false",
        "3001, 4000, 0.2, 2000, true",
    })
    void many_rows_or_all_of_them_need_a_word(long found, long rows, double share, long confirmed, boolean isAgainst) {
        assertThat(new MassDeleteGuard(table(share), rows, confirmed).isAgainst(found))
                .isEqualTo(isAgainst);
    }

    @Test
    void the_fault_names_the_table_the_numbers_and_what_confirms_it() {
        PerigeeException fault = new MassDeleteGuard(table(0.2), 5000, 0)
                .fault(4000, "Nothing was removed", "run `perigee tables sweep orders --confirm`");
        assertThat(fault.fault()).isEqualTo(Fault.MASS_DELETE);
        assertThat(fault.getMessage())
                .contains(
                        "table orders",
                        "4000 of the 5000 rows",
                        "`maxDeletedShare` allows a share of 0.2",
                        "Nothing was removed",
                        "perigee tables sweep orders --confirm");
        assertThat(new MassDeleteGuard(table(0.2), 5000, 0).hidden(4000).getMessage())
                .contains("4000 of the 5000 rows", "no longer seen at the source", "The copy stays as it is");
    }
}
