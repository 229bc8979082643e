package dev.perigee.fault;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FaultTest {
    @Test
    void a_message_is_sentences_also_where_one_is_a_question() {
        assertThat(Fault.NOT_FOUND.in("here", "it is not there", "Nothing was read"))
                .hasMessage("NOT_FOUND in here: it is not there. Nothing was read. To fix: check the name.");
        assertThat(Fault.NOT_FOUND.in("here", "did you mean public.om?", "Nothing was read"))
                .hasMessage("NOT_FOUND in here: did you mean public.om? Nothing was read. To fix: check the name.");
    }
}
