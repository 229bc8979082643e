package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.replication.sync.Progress;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
    @Test
    void it_has_rows_rate_and_time_left() {
        Progress half = new Progress(500_000, Optional.of(1_000_000L), 123_456.7, Optional.of(4_050L));

        assertThat(ProgressLine.text("orders", half, true))
                .isEqualTo("orders: [##########..........] 50 %, 500,000 rows, 123,457 rows/s, 5 s left");
        assertThat(ProgressLine.text("orders", half, false))
                .isEqualTo("orders: 50 %, 500,000 rows, 123,457 rows/s, 5 s left");
    }

    @Test
    void an_estimate_that_is_too_low_or_missing_does_no_harm() {
        assertThat(ProgressLine.text("a", new Progress(20, Optional.of(10L), 1, Optional.of(0L)), true))
                .isEqualTo("a: [####################] 100 %, 20 rows, 1 rows/s, 0 s left");
        assertThat(ProgressLine.text("a", new Progress(20, Optional.of(0L), 1, Optional.empty()), true))
                .isEqualTo("a: 20 rows, 1 rows/s");
        assertThat(ProgressLine.text("a", new Progress(1, Optional.empty(), 1, Optional.of(7_290_000L)), true))
                .isEqualTo("a: 1 rows, 1 rows/s, 2 h 01 min left");
    }
}
