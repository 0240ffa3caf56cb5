"""What the tests of both distributions share: how much is tried of what is tried at random."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The one place that says how much is tried: tests marked stress take it from the profile, which
# --hypothesis-profile=stress changes to what CI runs.
settings.register_profile(
    "everyday",
    max_examples=200,
    derandomize=True,  # the same every day; the stress profile tries others
    deadline=None,  # a slow machine is no bug
    print_blob=True,  # how to get the failing example again
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("stress", settings.get_profile("everyday"), max_examples=10_000, derandomize=False)
settings.load_profile("everyday")
