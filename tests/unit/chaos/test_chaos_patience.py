"""How long a fault run waits."""

from chaos.patience import STALLED_S, Patience


class Watch:
    """A clock that goes when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_lasts_while_things_come_to_their_end() -> None:
    watch = Watch()
    patience = Patience(10 * STALLED_S, watch)
    for left in (9, 8, 7):
        assert patience.lasts(left)
        watch.now += STALLED_S - 1
    assert patience.lasts(7)
    watch.now += 1
    assert not patience.lasts(7)


def test_more_that_come_are_no_progress() -> None:
    watch = Watch()
    patience = Patience(10 * STALLED_S, watch)
    assert patience.lasts(1)
    watch.now += STALLED_S
    assert not patience.lasts(2)


def test_it_ends_however_well_things_go() -> None:
    watch = Watch()
    patience = Patience(STALLED_S, watch)
    watch.now += STALLED_S - 1
    assert patience.lasts(2)
    watch.now += 1
    assert not patience.lasts(1)
