"""Which of several instances is meant: by class, score, size and place; what else is in the picture."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from farm3d.errors import InputError
from farm3d.pretrained.coco_classes import ANIMALS, class_names_of
from farm3d.pretrained.instances import Instance, choose_instance, merit, separated, touched_borders

HEIGHT, WIDTH = 60, 100
SHAPE = (HEIGHT, WIDTH)
COW = ("cow",)


def box(x: float, y: float = 30.0, *, width: int = 20, height: int = 10) -> np.ndarray:
    """A rectangle of this size whose middle is at x, y."""
    mask = np.zeros(SHAPE, dtype=bool)
    left, top = round(x - width / 2), round(y - height / 2)
    mask[top : top + height, left : left + width] = True
    return mask


def cow(x: float, *, score: float = 0.9, width: int = 20, label: str | None = "cow") -> Instance:
    return Instance(box(x, width=width), label, score)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("cow", ("cow",)),
        (" Horse ", ("horse",)),
        ("zebra", ("zebra",)),
        ("pig", ("dog", "cow", "sheep", "bear")),
        ("wolf", ANIMALS),
        ("person", ANIMALS),
        (None, ANIMALS),
    ],
)
def test_classes_of_a_category(category: str | None, expected: tuple[str, ...]) -> None:
    assert class_names_of(category) == expected


def test_only_a_fitting_class_or_none_is_chosen() -> None:
    dog, middle_cow, thing = cow(50, label="dog"), cow(20, score=0.4), cow(80, score=0.2, label=None)
    assert choose_instance([dog, middle_cow], COW, image_shape=SHAPE).instance is middle_cow
    assert choose_instance([dog, thing], COW, image_shape=SHAPE).instance is thing


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (cow(20, score=0.9), cow(80, score=0.6)),
        (cow(20, width=30), cow(80, width=10)),
        (cow(55), cow(85)),
    ],
    ids=["score", "size", "place"],
)
def test_score_size_and_place_decide_each_where_the_others_are_equal(
    better: Instance, worse: Instance
) -> None:
    for instances in ([better, worse], [worse, better]):
        assert choose_instance(instances, COW, image_shape=SHAPE).instance is better


def test_the_merit_by_hand() -> None:
    """200 of 6000 pixels, 30 from the middle of a picture whose diagonal is sqrt(60^2 + 100^2)."""
    bell = np.exp(-((30.0 / np.hypot(60.0, 100.0) / 0.35) ** 2) / 2)
    assert merit(cow(20, score=0.8), SHAPE) == pytest.approx(0.8 * np.sqrt(200 / 6000) * bell)


def test_rivals_are_the_other_animals_of_any_class_but_no_people() -> None:
    meant = cow(50)
    others = [cow(20, width=10), cow(80, width=15, label="dog", score=0.5), cow(90, label="person")]
    choice = choose_instance([meant, *others], COW, image_shape=SHAPE)
    assert choice.instance is meant
    assert choice.rivals == 2
    assert choice.rival_share == pytest.approx(15 / 20)
    assert choose_instance([meant], COW, image_shape=SHAPE).rival_share == 0.0


def test_one_animal_seen_twice_is_no_rival_of_itself() -> None:
    """As cow and as horse; as the whole and as its front."""
    meant, again, part = cow(50), cow(51, score=0.99, label="horse"), cow(45, width=10, score=0.5)
    choice = choose_instance([meant, again, part], COW, image_shape=SHAPE)
    assert choice.instance is meant
    assert choice.rivals == 0


def test_what_its_maker_saw_beside_it_counts_as_a_rival() -> None:
    seen = Instance(box(50), None, 0.7, rival_share=0.6)
    assert choose_instance([seen], COW, image_shape=SHAPE).rival_share == 0.6


def test_a_number_asks_for_the_nth_largest() -> None:
    small, large, middle = cow(50, width=10), cow(20, width=30, score=0.4), cow(80)
    for number, expected in enumerate((large, middle, small), start=1):
        choice = choose_instance([small, large, middle], COW, image_shape=SHAPE, number=number)
        assert choice.instance is expected
    with pytest.raises(InputError, match="--instance 4: the picture has 3 animals"):
        choose_instance([small, large, middle], COW, image_shape=SHAPE, number=4)


@pytest.mark.parametrize(
    ("instances", "names", "message"),
    [
        ([], COW, "no cow found; give a mask"),
        ([cow(50, label="dog"), cow(20, label="car")], COW, "no cow found, but car, dog; give a mask"),
        ([cow(50, label="car")], ANIMALS, "no animal found, but car; give a mask"),
        ([Instance(np.zeros(SHAPE, dtype=bool), "cow", 0.9)], COW, "no cow found"),
    ],
)
def test_where_no_animal_fits_the_message_says_what_was_seen(
    instances: list[Instance], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        choose_instance(instances, names, image_shape=SHAPE)


places = st.tuples(
    st.integers(10, 90), st.sampled_from(("cow", "dog", "car")), st.sampled_from((0.4, 0.6, 0.8))
)


@settings(max_examples=40, deadline=None)
@given(places=st.lists(places, min_size=1, max_size=5, unique_by=lambda place: (place[0], place[2])))
@example(places=[(19, "cow", 0.6), (26, "cow", 0.6)])
def test_neither_order_nor_mirroring_changes_the_choice(places: list[tuple[int, str, float]]) -> None:
    instances = [cow(x, label=label, score=score) for x, label, score in places] + [cow(50, score=0.5)]
    merits = [merit(one, SHAPE) for one in instances]
    if len({round(value, 9) for value in merits}) < len(merits):
        return
    first = choose_instance(instances, COW, image_shape=SHAPE)
    for order in itertools.islice(itertools.permutations(instances), 6):
        other = choose_instance(order, COW, image_shape=SHAPE)
        assert other.instance is first.instance
        assert other.rival_share == first.rival_share
    mirrored = [Instance(one.mask[:, ::-1], one.label, one.score) for one in instances]
    np.testing.assert_array_equal(
        choose_instance(mirrored, COW, image_shape=SHAPE).instance.mask[:, ::-1], first.instance.mask
    )


def test_pieces_come_largest_first() -> None:
    mask = box(20, width=10) | box(50, width=30) | box(85, width=20)
    pieces = separated(Instance(mask, None, 1.0))
    assert [int(piece.mask.sum()) for piece in pieces] == [300, 200, 100]
    np.testing.assert_array_equal(np.logical_or.reduce([piece.mask for piece in pieces]), mask)


def test_touched_borders_by_hand() -> None:
    mask = np.zeros((4, 10), dtype=bool)
    mask[:3, :5] = True
    assert touched_borders(mask) == {"left": 0.75, "right": 0.0, "top": 0.5, "bottom": 0.0}
