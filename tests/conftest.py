"""What holds for every test."""

from hypothesis import HealthCheck, settings

# No test is timed: an example that took long shows a busy computer. What is fast or slow is shown by tests/bench.
settings.register_profile("streetlight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("streetlight")
