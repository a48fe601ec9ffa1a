"""Makes panda.json.gz and wx250s.json.gz from the full recordings of MoveIt Servo.

    python condense.py DIRECTORY_OF_THE_RECORDINGS

Kept of each case: what was commanded and when, runs of equal status, when trajectories were
published and how many points they had, the commanded path of the tip (every second point at
100 Hz) and the last joint positions. Numbers are rounded: 0.1 ms, 0.01 mm, 1e-4 of a quaternion.
"""

import gzip
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def rounded(values, unit):
    """Whole numbers of ``unit``."""
    return [round(value / unit) for value in values]


def condense(record):
    """The part of one recording that the tests read."""
    trajectory, path = record['trajectory'], record.get('commanded_path')
    kept = {
        'what': record['description'],
        'config': record['servo_config'],
        'arm': record['hardware_model'],
        'type': record['command_type'],
        'start': record['start_positions'],
        'joints_at_s': record['joint_states']['t'][0],
        'commands': [
            {'do': run['cmd'], 'at_0.1ms': rounded(run['t'], 1e-4)} for run in record['commands']
        ],
        'status': [
            [round(run['t_first'], 4), round(run['t_last'], 4), run['code']]
            for run in record['status_runs']
        ],
        'messages': trajectory['n_messages'],
    }
    if trajectory['n_messages']:
        points = trajectory['n_points']
        kept['bursts'] = trajectory['bursts']
        kept['points'] = [sorted(points)[len(points) // 2], max(points)]
        kept['lead_s'] = round(record['summary']['last_point_time_minus_publish_median'], 4)
        kept['last_joints'] = trajectory['last_positions'][-1]
        kept['last_speed'] = trajectory['last_velocities'][-1]
    if path:
        stride = 1 if 'period20' in record['servo_config'] else 2
        kept['path'] = {
            't_0.1ms': rounded(path['t'][::stride], 1e-4),
            'xyz_0.01mm': [rounded(point, 1e-5) for point in path['ee_xyz'][::stride]],
            'quaternion_1e-4': [rounded(q, 1e-4) for q in path['ee_quat_xyzw'][::stride]],
        }
    return kept


def main(source):
    """Write one file for each robot."""
    for robot in ('panda', 'wx250s'):
        cases = {}
        for file in sorted(Path(source).glob(f'{robot}__*__*.json')):
            name = file.stem.removeprefix(f'{robot}__')
            cases[name] = condense(json.loads(file.read_text()))
        text = json.dumps(cases, separators=(',', ':')).encode()
        with open(HERE / f'{robot}.json.gz', 'wb') as file:
            file.write(gzip.compress(text, mtime=0))


if __name__ == '__main__':
    main(sys.argv[1])
