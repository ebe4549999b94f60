"""Who is suspected, who travels alone, and who is given up."""

from edge_ingest.flights import Limits
from unit.ingest.dispatching import LEASE, Bench


def test_an_item_lost_while_others_got_through_goes_with_others_once_more(bench: Bench) -> None:
    item, other = bench.arrive(2)
    bench.send()
    bench.wait(1)
    bench.accept(other)
    bench.wait(LEASE)
    bench.wait(1)
    assert bench.send() == ([item], [])


def test_an_item_lost_twice_travels_alone(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.lose(item, 2)
    bench.accept(*bench.arrive(1))
    bench.wait(30)
    bench.arrive(3)
    together, alone = bench.send()
    assert alone == [item]
    assert len(together) == 4


def test_the_lane_is_an_eighth_of_the_window_and_the_rest_flows(bench: Bench) -> None:
    for number in range(10):
        bench.dispatcher.suspect(f"suspect-{number}", 2, 0)
    bench.arrive(100)
    together, alone = bench.send()
    assert len(alone) == 2
    assert len(together) == 14


def test_a_window_of_one_has_a_lane_of_one() -> None:
    assert Limits(window=1).lane == 1


def test_a_suspect_that_was_blamed_has_the_lane_to_itself(bench: Bench) -> None:
    bench.dispatcher.suspect("mild", 2, 0)
    bench.dispatcher.suspect("grave", 3, 0)
    bench.dispatcher.suspect("other", 2, 0)
    assert bench.send()[1] == ["mild"]
    bench.accept("mild")
    assert bench.send()[1] == ["grave"]
    bench.accept("grave")
    assert bench.send()[1] == ["other"]


def test_an_item_that_brings_the_chain_down_is_given_up_once_others_got_through_each_time(bench: Bench) -> None:
    bench.dispatcher.suspect("poison", 2, 0)
    for _ in range(4):
        bench.until_sent("poison")
        bench.wait(LEASE)
        assert bench.lost == []
        # The others come only after its lease, as where a whole window went down with it.
        bench.accept(*bench.arrive(1))
    assert bench.lost == ["poison"]
    assert bench.dispatcher.in_flight == 0


def test_an_outage_however_long_gives_nothing_up(bench: Bench) -> None:
    bench.arrive(100)
    sent_alone = 0
    for _ in range(2000):
        _, alone = bench.send()
        sent_alone += len(alone)
        assert bench.dispatcher.in_flight <= 16
        bench.wait(5)
    assert sent_alone > 100
    assert bench.lost == []
    # And it has not been driven through: what was never sent is still to come.
    assert len(bench.backlog) == 84
    # It recovers at once.
    delivered = 0
    while delivered < 100:
        together, alone = bench.send()
        bench.accept(*together, *alone)
        delivered += len(together) + len(alone)
        bench.wait(1)
    assert bench.lost == []


def test_it_does_not_come_back_for_what_there_is_no_room_for(bench: Bench) -> None:
    """Else the loop would turn without end."""
    for number in range(5):
        bench.dispatcher.suspect(f"grave-{number}", 3, 0)
    bench.send()
    assert bench.dispatcher.next_event() == LEASE


def test_items_of_another_kind_that_get_through_speak_against_nobody(bench: Bench) -> None:
    bench.dispatcher.suspect("table", 2, 0)
    bench.kinds["table"] = "tables"
    for _ in range(10):
        bench.until_sent("table")
        bench.wait(LEASE)
        bench.accept(*bench.arrive(1))
    assert bench.lost == []
    while not bench.lost:
        bench.until_sent("table")
        bench.wait(LEASE)
        [other] = bench.arrive(1)
        bench.kinds[other] = "tables"
        bench.accept(other)
    assert bench.lost == ["table"]
