"""The derived times of RFC 7252 section 4.8.2."""

import pytest

from firmware.coap.tuning import Tuning


def test_the_defaults_give_the_times_of_the_rfc():
    tuning = Tuning()
    assert tuning.max_transmit_span_ms == 45_000
    assert tuning.max_transmit_wait_ms == 93_000
    assert tuning.max_rtt_ms == 202_000
    assert tuning.exchange_lifetime_ms == 247_000
    assert tuning.non_lifetime_ms == 145_000
    assert tuning.acknowledge_after_ms == 1000


def test_the_first_timeout_is_drawn_between_its_two_ends():
    assert Tuning().first_timeout_ms(lambda n: b"\0" * n) == 2000
    assert Tuning().first_timeout_ms(lambda n: b"\xff" * n) == 3000


def test_a_slow_network_has_its_own_times():
    tuning = Tuning(ack_timeout_ms=10_000, ack_random_permille=1000, max_retransmit=1, processing_delay_ms=3000)
    assert (tuning.max_transmit_span_ms, tuning.max_rtt_ms) == (10_000, 203_000)


@pytest.mark.parametrize(
    "values",
    [
        {"ack_timeout_ms": 0},
        {"ack_random_permille": 999},
        {"max_retransmit": -1},
        {"nstart": 0},
        {"max_latency_ms": 0},
    ],
)
def test_impossible_times_are_refused(values):
    with pytest.raises(ValueError, match="too small"):
        Tuning(**values)
