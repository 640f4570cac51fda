"""Configs: what is written is what is used, and every mistake has one line that says where."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm3d.config import StrictConfig, dump_config, load_config, parse_config, plain_values, preset_names
from farm3d.errors import ConfigError
from farm3d.schedule import Constant, Linear, Schedule


class Weights(StrictConfig):
    mask: Schedule = Constant(1.0)
    rgb: Schedule = Linear(start=0, end=10, from_=0.0, to=1.0)


class Training(StrictConfig):
    steps: int = 100
    learning_rate: float = 1e-4
    weights: Weights = Weights()


class Demo(StrictConfig):
    name: str = "horse"
    sizes: tuple[int, int] = (64, 128)
    note: str | None = None
    flip: bool = False
    training: Training = Training()
    extra: Training | None = None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message_of(text: str = "", overrides: tuple[str, ...] = ()) -> str:
    """The one line that a file with this text (and these overrides) is refused with."""
    Path("demo.yaml").write_text(text)
    with pytest.raises(ConfigError) as refusal:
        load_config(Demo, preset_or_file="demo.yaml", overrides=overrides)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_without_a_file_the_defaults_stand() -> None:
    assert load_config(Demo) == Demo()


def test_a_file_changes_only_what_it_names(folder: Path) -> None:
    (folder / "demo.yaml").write_text("name: cow\ntraining:\n  learning_rate: 1e-3\n  weights: {mask: 2}\n")
    config = load_config(Demo, preset_or_file="demo.yaml", overrides=["training.steps=7", "sizes=[1, 2]"])
    weights = Weights(mask=Constant(2.0))
    assert config == Demo(
        name="cow", sizes=(1, 2), training=Training(steps=7, learning_rate=1e-3, weights=weights)
    )


def test_a_base_is_changed_by_what_names_it_and_files_are_found_beside(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "parent.yaml").write_text("name: cow\ntraining: {steps: 5, learning_rate: 0.5}\n")
    (folder / "sub" / "child.yaml").write_text("base: parent.yaml\ntraining: {steps: 6}\n")
    config = load_config(Demo, preset_or_file="sub/child.yaml")
    assert config == Demo(name="cow", training=Training(steps=6, learning_rate=0.5))


def test_a_schedule_is_replaced_as_a_whole(folder: Path) -> None:
    (folder / "demo.yaml").write_text("training: {weights: {rgb: {from: 1, to: 0, start: 5, end: 9}}}\n")
    first = load_config(Demo, preset_or_file="demo.yaml")
    assert first.training.weights.rgb == Linear(start=5, end=9, from_=1.0, to=0.0)
    second = load_config(
        Demo, preset_or_file="demo.yaml", overrides=["training.weights.rgb={steps: [[0, 3]]}"]
    )
    assert second.training.weights.rgb.value(100) == 3.0


def test_an_optional_part_can_be_given_and_taken_away(folder: Path) -> None:
    (folder / "demo.yaml").write_text("extra: {steps: 3}\n")
    assert load_config(Demo, preset_or_file="demo.yaml").extra == Training(steps=3)
    assert load_config(Demo, preset_or_file="demo.yaml", overrides=["extra=null"]).extra is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nmae: cow", ["demo.yaml", "'nmae'", "'name'"]),
        ("training: {stesp: 3}", ["demo.yaml", "'training.stesp'", "'training.steps'"]),
        ("steps: 3", ["'steps'", "'training.steps'"]),
        ("zzz: 3", ["'zzz'", "known here: name, sizes"]),
        ("extra: {weights: {rgb: 1, maks: 2}}", ["'extra.weights.maks'", "'extra.weights.mask'"]),
        ("training: {steps: many}", ["demo.yaml: training.steps", "the text 'many'"]),
        ("training: {steps: 1.5}", ["training.steps", "1.5"]),
        ("training: {steps: true}", ["training.steps", "True"]),
        ("training: {learning_rate: '1'}", ["training.learning_rate", "'1'"]),
        ("training: {learning_rate: .inf}", ["training.learning_rate", "finite"]),
        (
            "training: {weights: {rgb: {from: 1, to: 2, start: 3}}}",
            ["training.weights.rgb", "'end' is missing"],
        ),
        (
            "training: {weights: {rgb: {from: 1, to: 2, start: 3, end: 3}}}",
            ["end (3) must be after start (3)"],
        ),
        ("training: 5", ["demo.yaml: training", "5"]),
        ("sizes: [1, 2, 3]", ["demo.yaml: sizes"]),
        ("name: 2024-01-01\nflip: no", ["flip", "the text 'no'"]),
        ("name: a\nname: b", ["'name' stands twice"]),
        ("5: a", ["key 5 is not text"]),
        ("name: !!binary aGk=", ["demo.yaml: not valid YAML"]),
        ("name: [a", ["demo.yaml: not valid YAML"]),
        ("- a\n- b", ["demo.yaml", "a list"]),
        ("base: nothing.yaml", ["nothing.yaml", "No such file"]),
        ("base: demo.yaml", ["leads back to itself"]),
        ("base: 3", ["base: 3"]),
    ],
)
def test_a_mistake_is_one_line_naming_file_and_key(folder: Path, text: str, parts: list[str]) -> None:
    message = message_of(text)
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("training.steps=soon", ["override training.steps=soon", "the text 'soon'"]),
        ("training.stps=3", ["override training.stps=3", "'training.steps'"]),
        ("training.steps", ["'training.steps'", "key=value"]),
        ("=3", ["key=value"]),
        ("name=[", ["not valid YAML"]),
    ],
)
def test_a_mistaken_override_names_itself(folder: Path, override: str, parts: list[str]) -> None:
    message = message_of("training: {steps: 4}", (override,))
    assert all(part in message for part in parts), message


def test_several_type_mistakes_are_counted(folder: Path) -> None:
    assert message_of("training: {steps: a, learning_rate: b}").endswith("(and 1 more)")


def test_an_unknown_preset_is_told_which_there_are() -> None:
    with pytest.raises(ConfigError, match="no preset is called 'no such preset'"):
        load_config(Demo, preset_or_file="no such preset")


def test_presets_never_leave_their_folder() -> None:
    with pytest.raises(ConfigError):
        load_config(Demo, preset_or_file="../setup")


def test_every_packaged_preset_is_valid_yaml_with_known_parents() -> None:
    for name in preset_names():
        try:
            load_config(Demo, preset_or_file=name)
        except ConfigError as error:
            # Demo is not their class: any complaint but an unknown key would be the preset's own fault.
            assert "unknown key" in str(error), error


texts = st.text(max_size=10) | st.sampled_from(
    ["no", "1e-4", "true", "null", "~", "1", "2024-01-01", ".inf", "=", "\x85", "a\u2028b", "\u2029"]
)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(texts, texts | st.none(), st.booleans(), st.integers(), numbers, numbers)
def test_a_dumped_config_loads_back_equal(
    name: str, note: str | None, flip: bool, steps: int, rate: float, weight: float
) -> None:
    weights = Weights(mask=Constant(weight))
    training = Training(steps=steps, learning_rate=rate, weights=weights)
    config = Demo(name=name, note=note, flip=flip, training=training, extra=training)
    assert parse_config(Demo, plain_values(config), source="memory") == config
    assert load_from_text(dump_config(config)) == config


def load_from_text(text: str) -> Demo:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        return load_config(Demo, preset_or_file=file.name)


def test_metadata_in_another_shape_is_refused_with_its_source() -> None:
    with pytest.raises(ConfigError, match=r"horse\.safetensors: unknown key 'breed'"):
        parse_config(Demo, {"breed": "arab"}, source="horse.safetensors")
