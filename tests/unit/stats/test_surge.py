"""Limits by the hour: blind to the time of day, quick when spend multiplies, quiet else."""

import numpy as np
import pytest

from surefoot.stats.surge import HOURS_NEEDED, WEEK, WINDOWS, Surge, surge

HOURS = np.arange(8 * WEEK)


def usual(*, noise: float = 0.1, seed: int = 1) -> np.ndarray:
    """Eight weeks with nights and weekends."""
    shape = np.exp(np.cos((HOURS % 24 - 14) / 24 * 2 * np.pi)) * np.where(HOURS // 24 % 7 > 4, 0.4, 1.0)
    return 10 * shape * np.exp(noise * np.random.default_rng(seed).standard_normal(HOURS.size))


def known(amounts: np.ndarray, **more: object) -> Surge:
    found = surge(amounts, hour=0, **more)
    assert found is not None
    return found


def test_mornings_and_mondays_are_no_surge() -> None:
    found = known(usual())
    assert found.over.sum() == 0
    assert np.nanmedian(found.ratio[0]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("hour", [0, 3, 14, 100])
def test_three_times_the_usual_is_over_its_limit_whatever_the_hour(hour: int) -> None:
    amounts = usual()[: HOURS.size - hour]
    assert not known(amounts).over[-1]
    amounts[-1] *= 3
    assert known(amounts).over[-1]


def test_the_hour_under_way_is_over_as_soon_as_its_limit_is_passed_and_never_before() -> None:
    amounts = usual()
    limit = known(amounts).limit[0, -1]
    for share, over in ((0.2, False), (0.99, False), (1.01, True), (2.0, True)):
        amounts[-1] = limit * share
        assert known(amounts).over[-1] == over


def test_a_surge_that_lasts_raises_its_limit_by_the_weeks_mean_alone() -> None:
    amounts = usual(noise=0.4)
    before, mean = known(amounts).limit[0, -1], amounts[-WEEK - 1 : -1].mean()
    amounts[-24:-1] *= 3
    grown = amounts[-WEEK - 1 : -1].mean() / mean
    assert known(amounts).limit[0, -1] == pytest.approx(before * grown, rel=0.01)


def test_a_little_more_for_a_whole_day_shows_in_the_longer_windows() -> None:
    amounts = usual(noise=0.5)
    amounts[-24:] *= 2.2
    found = known(amounts)
    assert found.over[-1]
    windows = [amounts[-window:].sum() > found.limit[place, -1] for place, window in enumerate(WINDOWS)]
    assert not windows[0] and windows[2]


def test_hours_called_unusual_teach_nothing() -> None:
    amounts, unusual = usual(), np.zeros(HOURS.size, dtype=bool)
    amounts[600:640] *= 6
    unusual[600:808] = True
    deaf, keen = known(amounts), known(amounts, unusual=unusual)
    assert keen.limit[0, -1] < deaf.limit[0, -1]


def test_another_unit_changes_nothing() -> None:
    assert (known(usual() * 1e9).over == known(usual()).over).all()


@pytest.mark.parametrize(
    "amounts", [usual()[:HOURS_NEEDED], np.zeros(HOURS.size), np.where(HOURS % 20 == 0, 1.0, 0.0), np.array([])]
)
def test_too_little_gives_nothing(amounts: np.ndarray) -> None:
    assert surge(amounts, hour=0) is None


def test_a_month_that_is_nearly_empty_at_first_is_no_crash() -> None:
    amounts = usual()
    amounts[: 3 * WEEK] = 0
    assert not known(amounts).over[-1]


@pytest.mark.parametrize(
    ("amounts", "more"), [([-1.0], {}), ([1.0], {"hour": 168}), ([1.0], {"unusual": [True, False]})]
)
def test_what_does_not_fit_is_refused(amounts: list[float], more: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        surge(amounts, **{"hour": 0} | more)
