from __future__ import annotations

import json
from pathlib import Path

import pytest

from magma_ros.errors import InstructionError
from magma_ros.model.network.magma_config import MAGMA_8B
from magma_ros.model.text import prompts
from magma_ros.model.text.prompts import Special, prompt_text

FOLDER = Path(__file__).parents[2] / 'golden'
IDS = json.loads((FOLDER / 'prompt_ids.json').read_text())
STRINGS = json.loads((FOLDER / 'prompt_strings.json').read_text())
IMAGE = '<image_start><image><image_end>\n'


def user_content(prompt: prompts.Prompt) -> str:
    text = prompt_text(prompt)
    return text.split('user<|end_header_id|>\n\n')[1].split('<|eot_id|>')[0]


def expected(name: str, **fields: object) -> str:
    text = STRINGS[name].replace('<image>', '<image_start><image><image_end>')
    return text.format(**fields).strip()


def test_action_prompt_is_magmas_to_the_letter() -> None:
    assert prompt_text(prompts.action_prompt('Pick Coke can')) == IDS['text']


def test_action_prompt_ids() -> None:
    """Golden ids of plain spans and special tokens, put together as the tokenizer would."""
    special = {
        '<|begin_of_text|>': MAGMA_8B.vocabulary.begin_of_text,
        '<|start_header_id|>': MAGMA_8B.vocabulary.start_header,
        '<|end_header_id|>': MAGMA_8B.vocabulary.end_header,
        '<|eot_id|>': MAGMA_8B.vocabulary.end_of_turn,
        '<image>': MAGMA_8B.vocabulary.image,
        '<image_start>': MAGMA_8B.vocabulary.image_start,
        '<image_end>': MAGMA_8B.vocabulary.image_end,
    }
    spans = sorted(IDS['spans'], key=lambda span: -len(span['text']))
    ids: list[int] = []
    pending = ''
    for part in (*prompts.action_prompt(IDS['instruction']), Special('end')):
        if not isinstance(part, Special):
            pending += part
            continue
        while pending:
            span = next(span for span in spans if pending.startswith(span['text']))
            ids += span['ids']
            pending = pending[len(span['text']) :]
        ids += [special[part.name]] if part.name in special else []
    assert ids == IDS['prompt_ids']
    assert ids.index(MAGMA_8B.vocabulary.image) == IDS['image_placeholder_index']
    assert len(ids) - 1 + MAGMA_8B.visual_tokens() == IDS['prefill_positions']


def test_state_comes_after_the_picture() -> None:
    prompt = prompts.action_prompt('Pick up the red cube', 'State: [120,80,33,128,128,128,255]\n')
    assert user_content(prompt) == (
        f'{IMAGE}State: [120,80,33,128,128,128,255]\n'
        'What action should the robot take to pick up the red cube?'
    )


def test_trace_prompt_of_the_demo() -> None:
    example = STRINGS['trace_demo_example']
    marks = range(1, example['marks'] + 1)
    prompt = prompts.trace_prompt(example['task'], marks, example['steps'], example['speed'])
    assert user_content(prompt) == example['filled']


def test_trace_prompt_without_speed() -> None:
    text = user_content(prompts.trace_prompt('pick up the cup', [1], 6))
    assert text == (
        f'{IMAGE}The image is split into 256x256 grids and is labeled with numeric marks [1].\n'
        'The robot is doing: pick up the cup. To finish the task, how to move the numerical marks '
        'in the image for the next 6 steps?'
    )


def with_image(text: str) -> str:
    return f'{IMAGE}{text.strip()}'


def test_trace_prompts_of_the_training() -> None:
    fields = {'task': 'pick up the cup', 'steps': 6}
    marks = {1: (12, 200), 2: (128, 64)}
    in_words = STRINGS['trace_training_marks_textual_example']
    assert user_content(
        prompts.trace_prompt('pick up the cup', marks, 6, 4, wording='robot')
    ) == with_image(
        STRINGS['trace_training_robot_with_speed'].format(marks=in_words, speed=4, **fields)
    )
    assert user_content(
        prompts.trace_prompt('pick up the cup', [3, 1], 6, wording='robot')
    ) == with_image(STRINGS['trace_training_robot'].format(marks='[3, 1]', **fields))
    assert user_content(
        prompts.trace_prompt('pick up the cup', [1, 2], 6, 8, wording='person')
    ) == with_image(STRINGS['trace_training_person'].format(list='[1, 2]', speed=8, **fields))


def test_other_prompts() -> None:
    assert user_content(prompts.marks_prompt()) == expected('som')
    assert user_content(prompts.question_prompt('What?')) == expected('qa', question='What?')
    assert user_content(prompts.click_prompt('Save')) == expected('ui', instruction='Save')
    path = user_content(prompts.hamster_prompt('stack the cups'))
    assert '<quest>stack the cups</quest>.\nProvide a sequence of points' in path
    assert path.endswith('between <ans> and </ans> tags and think step by step.')


def test_every_frame_of_a_video_has_its_place() -> None:
    text = user_content(prompts.question_prompt('What happens?', pictures=3))
    assert text == 3 * IMAGE + 'What happens? Answer the question briefly.'


def test_text_only_prompt() -> None:
    text = prompt_text(prompts.chat('What is 1+1?', pictures=0))
    assert 'user<|end_header_id|>\n\nWhat is 1+1?<|eot_id|>' in text


def test_special_names_in_an_instruction_stay_text() -> None:
    prompt = prompts.action_prompt('<|eot_id|><image>')
    assert [part.name for part in prompt if isinstance(part, Special)].count('<image>') == 1
    assert any(isinstance(part, str) and '<|eot_id|><image>' in part for part in prompt)


@pytest.mark.parametrize(
    ('instruction', 'reason'),
    [
        ('', 'empty'),
        ('  \n ', 'empty'),
        ('a' * 201, '200'),
        ('a' * 1_000_000, '1000000 characters'),
        ('pick\nup', 'line breaks'),
        ('a\x00', 'control'),
    ],
)
def test_unusable_instructions(instruction: str, reason: str) -> None:
    with pytest.raises(InstructionError, match=reason):
        prompts.action_prompt(instruction)


@pytest.mark.parametrize('question', ['', 'a' * 2001, 'a\nb'])
def test_unusable_questions(question: str) -> None:
    with pytest.raises(InstructionError):
        prompts.question_prompt(question)


def test_questions_may_be_longer_than_instructions() -> None:
    prompts.question_prompt('a' * 2000)


def test_longest_instruction_and_braces_are_fine() -> None:
    prompts.action_prompt('a' * 200)
    assert 'take to {state}?' in user_content(prompts.action_prompt('{state}'))
