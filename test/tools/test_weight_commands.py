"""``magma make-weights`` and ``magma check-weights``, one after the other."""

import json

import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.tools.magma import main

pytestmark = pytest.mark.torch


def test_what_is_made_is_whole(tmp_path, capsys):
    folder = tmp_path / 'random'
    made = main(
        ['make-weights', '--size', 'nano', '--random', '--dtype', 'fp16', '--shard-gb', '0.001']
        + [str(folder)]
    )
    assert made == 0
    assert f'magma check-weights {folder}' in capsys.readouterr().out
    assert len(list(folder.glob('model-*.safetensors'))) > 2

    assert main(['check-weights', str(folder), '--hash', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    assert report['loads'] is True
    assert report['random_weights'] is True
    assert report['bytes_by_dtype'].keys() == {'F16'}
    assert len(report['sha256']) == 64

    assert main(['check-weights', str(folder), '--hash']) == 0
    text = capsys.readouterr().out
    for part in ('magma-nano (random weights)', report['sha256'][:50], 'int4', 'It would load.'):
        assert part in text

    next(folder.glob('model-00002*')).unlink()
    assert main(['check-weights', str(folder)]) == 1
    text = capsys.readouterr().out
    assert 'lacks model-00002' in text
    assert 'It would not load.' in text


def test_nothing_is_written_over(tmp_path, capsys):
    (tmp_path / 'mine').touch()
    assert main(['make-weights', '--random', str(tmp_path)]) == 2
    assert 'is not empty and is left alone' in capsys.readouterr().err


@pytest.mark.parametrize(
    'arguments', [['--size', 'nano'], ['--random', '--size', '70b'], ['--random', '--dtype', 'x']]
)
def test_noise_must_be_asked_for_by_name(tmp_path, arguments):
    with pytest.raises(SystemExit) as end:
        main(['make-weights', *arguments, str(tmp_path / 'new')])
    assert end.value.code == 2
    assert not (tmp_path / 'new').exists()


def test_a_file_needs_a_size(tmp_path, capsys):
    arguments = ['make-weights', '--random', '--shard-gb', '0', str(tmp_path / 'new')]
    assert main(arguments) == 2
    assert '--shard-gb 0.0: more than 0 is needed' in capsys.readouterr().err
