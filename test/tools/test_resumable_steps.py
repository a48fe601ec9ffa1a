import pytest

from magma_ros.tools.resumable_steps import Step, carry_out, digest_files, read_stamp


def step(name, calls, digest='1', error=None):
    def run():
        calls.append(name)
        if error:
            raise error

    return Step(name, digest, run)


def test_second_run_has_nothing_to_do(tmp_path):
    calls = []
    steps = [step('a', calls), step('b', calls)]

    assert carry_out(steps, tmp_path / 'stamp.json') == 2
    assert carry_out(steps, tmp_path / 'stamp.json') == 0
    assert calls == ['a', 'b']


def test_interrupted_run_goes_on_at_the_step_it_was_in(tmp_path):
    calls = []
    stamp = tmp_path / 'stamp.json'
    with pytest.raises(KeyboardInterrupt):
        carry_out([step('a', calls), step('b', calls, error=KeyboardInterrupt())], stamp)

    carry_out([step('a', calls), step('b', calls), step('c', calls)], stamp)

    assert calls == ['a', 'b', 'b', 'c']


def test_only_steps_whose_inputs_changed_are_run_again(tmp_path):
    calls = []
    stamp = tmp_path / 'stamp.json'
    carry_out([step('a', calls), step('b', calls)], stamp)

    carry_out([step('a', calls), step('b', calls, digest='2')], stamp)

    assert calls == ['a', 'b', 'b']


def test_a_step_that_starts_afresh_makes_the_later_ones_run(tmp_path):
    calls = []
    stamp = tmp_path / 'stamp.json'
    carry_out([step('a', calls), step('b', calls)], stamp)

    carry_out([Step('a', '2', stamp.unlink), step('b', calls)], stamp)

    assert calls == ['a', 'b', 'b']


def test_a_damaged_stamp_counts_as_none(tmp_path):
    stamp = tmp_path / 'stamp.json'
    stamp.write_text('{"a": ')

    assert read_stamp(stamp) == {}


def test_digest_follows_names_and_contents(tmp_path):
    one, two = tmp_path / 'one', tmp_path / 'two'
    one.write_text('text')
    before = digest_files([one])

    assert digest_files([one, tmp_path]) == before
    one.write_text('other text')
    changed = digest_files([one])
    two.write_text('other text')

    assert len({before, changed, digest_files([two]), digest_files([one, two])}) == 4
