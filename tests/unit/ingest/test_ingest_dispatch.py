"""What is sent when: window, leases, answers, stalls."""

import pytest

from edge_ingest.flights import Limits, Plan
from unit.ingest.dispatching import LEASE, Bench


def test_no_more_than_a_window_is_in_flight_until_something_comes_back(bench: Bench) -> None:
    first, *_ = bench.arrive(40)
    together, alone = bench.send()
    assert (len(together), alone) == (16, [])
    assert bench.send() == ([], [])
    bench.accept(first)
    assert bench.send() == (["item-16"], [])


def test_a_lease_that_ends_means_send_again_after_a_while(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.send()
    bench.wait(LEASE - 1)
    assert bench.send() == ([], [])
    bench.wait(1)
    assert bench.send() == ([], [])
    bench.wait(0.75)
    # Nothing was heard since, so it goes as a probe.
    assert bench.send() == ([], [item])


def test_what_is_deferred_holds_its_lease_and_is_never_given_up(bench: Bench) -> None:
    items = bench.arrive(16)
    for _ in range(400):
        bench.send()
        bench.wait(LEASE / 4)
        for item in items:
            bench.dispatcher.renew(item, bench.attempts[item], bench.now, deferred=True)
    assert bench.attempts == dict.fromkeys(items, 1)
    # No further answer: it is sent again, and counts for nothing.
    for _ in range(10):
        bench.wait(LEASE)
        bench.wait(31)
        bench.send()
        bench.wait(1)
        for item in items:
            bench.dispatcher.renew(item, bench.attempts[item], bench.now, deferred=True)
    assert bench.lost == []
    assert all(attempts > 5 for attempts in bench.attempts.values())


def test_a_part_renews_the_lease_of_its_attempt_only(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.send()
    bench.wait(LEASE / 2)
    bench.dispatcher.renew(item, 1, bench.now, deferred=False)
    bench.wait(LEASE - 1)
    assert bench.dispatcher.in_flight == 1
    bench.dispatcher.renew(item, 0, bench.now, deferred=False)
    bench.wait(1)
    assert bench.dispatcher.in_flight == 0


def test_good_news_of_an_older_attempt_is_taken(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.lose(item, 1)
    bench.until_sent(item)
    bench.accept(item)
    assert bench.dispatcher.in_flight == 0
    bench.wait(1000)
    assert bench.send() == ([], [])


@pytest.mark.parametrize("answer", ["put_off", "refuse"])
def test_bad_news_of_an_older_attempt_is_ignored(bench: Bench, answer: str) -> None:
    [item] = bench.arrive(1)
    bench.lose(item, 1)
    bench.until_sent(item)
    getattr(bench.dispatcher, answer)(item, 1, bench.now)
    assert bench.dispatcher.in_flight == 1
    getattr(bench.dispatcher, answer)(item, 2, bench.now)
    assert bench.dispatcher.in_flight == 0


def test_a_reject_that_asks_for_another_try_backs_off_and_counts_for_nothing(bench: Bench) -> None:
    [item] = bench.arrive(1)
    gaps = []
    for _ in range(8):
        began = bench.now
        bench.until_sent(item)
        gaps.append(bench.now - began)
        bench.dispatcher.put_off(item, bench.attempts[item], bench.now)
    assert gaps[1:] == sorted(gaps[1:])
    assert max(gaps) <= 30
    assert bench.lost == []


def test_where_everything_is_rejected_only_a_few_are_tried(bench: Bench) -> None:
    bench.arrive(1000)
    sent = 0
    for _ in range(100):
        together, alone = bench.send()
        for item in together + alone:
            bench.dispatcher.put_off(item, bench.attempts[item], bench.now)
        sent += len(together) + len(alone)
        bench.wait(0.01)
    assert sent < 60
    assert len(bench.backlog) > 980


def test_those_that_are_rejected_for_ever_do_not_starve_the_others(bench: Bench) -> None:
    """They come first and fill the window, so that nothing good is heard at the beginning."""
    stuck = bench.arrive(30)
    bench.arrive(200)
    done = 0
    for _ in range(100):
        together, alone = bench.send()
        fine = [item for item in together + alone if item not in stuck]
        bench.wait(0.1)
        bench.accept(*fine)
        for item in {*together, *alone} - set(fine):
            bench.dispatcher.put_off(item, bench.attempts[item], bench.now)
        done += len(fine)
        bench.wait(0.5)
    assert done == 200


def test_a_stalled_chain_wakes_up_for_what_was_never_sent(bench: Bench) -> None:
    bench.arrive(40)
    for item in bench.send()[0]:
        bench.dispatcher.put_off(item, 1, bench.now)
    bench.send()
    assert bench.now < bench.dispatcher.next_event() <= bench.now + 1


def test_what_is_no_longer_to_be_sent_frees_its_place(bench: Bench) -> None:
    items = bench.arrive(16)
    plan = bench.dispatcher.plan(bench.now)
    assert plan == Plan(fresh=16)
    bench.send()
    bench.dispatcher.abandon(items[0])
    assert bench.dispatcher.in_flight == 15


def test_it_says_when_to_come_back(bench: Bench) -> None:
    assert bench.dispatcher.next_event() == float("inf")
    item, other = bench.arrive(2)
    bench.send()
    assert bench.dispatcher.next_event() == LEASE
    bench.dispatcher.put_off(item, 1, 0.5)
    assert 0.5 < bench.dispatcher.next_event() < 2
    bench.accept(other)


def test_a_smaller_window_takes_effect_as_answers_come(bench: Bench) -> None:
    items = bench.arrive(40)
    bench.send()
    bench.dispatcher.limits = Limits(window=4, lease_s=LEASE)
    bench.accept(*items[:11])
    assert bench.send() == ([], [])
    bench.accept(*items[11:14])
    assert len(bench.send()[0]) == 2
