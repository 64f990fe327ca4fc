"""A drill that found something can be run again."""

from tests.drill import plan_faults, plan_purchases

BROKERS = ["kafka-1", "kafka-2", "kafka-3"]


def test_the_same_seed_plans_the_same_orders_and_the_same_faults() -> None:
    assert plan_purchases(seed=7, orders=500) == plan_purchases(seed=7, orders=500)
    assert plan_faults(seed=7, orders=500, brokers=BROKERS) == plan_faults(
        seed=7, orders=500, brokers=BROKERS
    )
    assert plan_faults(seed=7, orders=500, brokers=BROKERS) != plan_faults(
        seed=8, orders=500, brokers=BROKERS
    )


def test_in_every_drill_a_broker_goes_away() -> None:
    for seed in range(50):
        faults = plan_faults(seed=seed, orders=100, brokers=BROKERS)
        assert any(fault.kind == "stop" and fault.victim in BROKERS for fault in faults)
