package dev.perigee.fault;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FaultTest {
    /// To read the message is what everybody does who reads its remedy.
    @ParameterizedTest
    @EnumSource
    void a_remedy_is_the_next_thing_to_do(Fault fault) {
        assertThat(fault.remedy()).doesNotStartWith("read").doesNotContain("NAME");
    }

    @Test
    void a_message_is_sentences_also_where_one_is_a_question() {
        assertThat(Fault.NOT_FOUND.in("here", "it is not there", "Nothing was read"))
                .hasMessage("NOT_FOUND in here: it is not there. Nothing was read. To fix: check the name.");
        assertThat(Fault.NOT_FOUND.in("here", "did you mean public.om?", "Nothing was read"))
                .hasMessage("NOT_FOUND in here: did you mean public.om? Nothing was read. To fix: check the name.");
    }
}
