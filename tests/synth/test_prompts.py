"""Prompts are diverse at stated rates, and each depends on its seed and number alone."""

import re
from collections import Counter
from pathlib import Path

import pytest
from farm3d.synth.prompts import prompt_of, prompt_tables, read_prompt_file, view_rates

from farm3d.errors import ConfigError, InputError

PRESETS = ("cow", "horse", "sheep", "pig", "dog", "zebra", "giraffe")
RATES = {
    "side": 0.34,
    "front three-quarter": 0.20,
    "front": 0.14,
    "back three-quarter": 0.14,
    "back": 0.12,
    "overhead": 0.06,
}


def test_views_are_asked_for_at_these_rates() -> None:
    assert view_rates() == pytest.approx(RATES)
    count = 2000
    drawn = Counter(prompt_of("cow", number, 0).view for number in range(count))
    for view, rate in RATES.items():
        four_deviations = 4.0 * (rate * (1.0 - rate) / count) ** 0.5
        assert drawn[view] / count == pytest.approx(rate, abs=four_deviations), view


def test_a_prompt_depends_on_category_seed_and_number_alone() -> None:
    alone = prompt_of("cow", 7, 3)
    for number in range(20):
        prompt_of("horse", number, 3)
    assert prompt_of("cow", 7, 3) == alone
    assert len({prompt_of("cow", 7, seed) for seed in range(20)}) > 15
    assert len({prompt_of("cow", number, 3) for number in range(20)}) > 15


@pytest.mark.parametrize("category", [*PRESETS, "elephant", "Shetland pony", "axolotl", "駱駝"])
def test_prompts_are_sentences_that_the_text_encoder_can_read(category: str) -> None:
    """About 1.3 tokens a word and one a comma; 77 are read."""
    for number in range(150):
        prompt = prompt_of(category, number, 0)
        assert not set("{}") & set(prompt.text + prompt.negative)
        assert "  " not in prompt.text and ", ," not in prompt.text
        assert len(prompt.text.split()) <= 45, prompt.text
        assert not re.search(r"\ba [aeio]|\ban [^aeiou]", prompt.text, re.IGNORECASE), prompt.text
        if category not in PRESETS:
            assert category in prompt.text


@pytest.mark.parametrize("category", PRESETS)
def test_a_preset_has_many_individuals(category: str) -> None:
    """Beyond view, scene and light: what stands between the photograph and the view words."""
    texts = (prompt_of(category, number, 0).text for number in range(500))
    animals = {re.split(r" (?:standing|walking|coming)", text.split(" of a")[1])[0] for text in texts}
    assert len(animals) > 20


def test_the_words_of_a_view_stand_in_its_prompts() -> None:
    words = {"back": ("away", "behind", "back turned"), "front": ("towards", "facing the camera", "head-on")}
    for number in range(500):
        prompt = prompt_of("dog", number, 1)
        if prompt.view in words:
            assert any(word in prompt.text for word in words[prompt.view]), prompt
    backs = [prompt for n in range(100) if (prompt := prompt_of("dog", n, 1)).view == "back"]
    assert all("face" in prompt.negative for prompt in backs)


def test_every_list_that_a_text_names_is_there() -> None:
    tables = prompt_tables()
    for category in [*tables.categories, "okapi"]:
        lists = {**tables.common, **tables.categories.get(category, {})}
        named = {
            name for texts in lists.values() for text in texts for name in re.findall(r"\{(\w+)\}", text)
        }
        assert named <= {*lists, "seen", "category"}
        assert all(weight > 0 for texts in lists.values() for weight in texts.values())


@pytest.mark.parametrize("category", ["", "  ", "a{noun}", "cow\nhorse", "c" * 61])
def test_what_is_no_word_is_refused(category: str) -> None:
    with pytest.raises(ConfigError, match="give an animal's name") as caught:
        prompt_of(category, 0, 0)
    assert "\n" not in str(caught.value)


def test_the_user_s_own_prompts_are_drawn_by_seed_and_number(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("# mine\n\na cow in a boat\n  a cow on the moon \na cow on the moon\n", encoding="utf-8")
    own = read_prompt_file(file)
    assert own == ("a cow in a boat", "a cow on the moon", "a cow on the moon")
    drawn = Counter(prompt_of("cow", number, 0, own=own).text for number in range(600))
    assert drawn["a cow on the moon"] / 600 == pytest.approx(2 / 3, abs=0.08)
    assert prompt_of("cow", 1, 0, own=own).view is None
    assert prompt_of("cow", 1, 0, own=own) == prompt_of("cow", 1, 0, own=own)


def test_a_bad_prompt_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    (tmp_path / "picture.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    for name, part in (("empty.txt", "no prompt"), ("picture.jpg", "not a text"), ("none.txt", "No such")):
        with pytest.raises(InputError, match=part) as caught:
            read_prompt_file(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
