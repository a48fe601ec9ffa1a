"""Package description; the version is in package.xml, tool settings are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'magma_ros'
ROOT = Path(__file__).parent
VERSION = re.search(r'<version>(.+)</version>', (ROOT / 'package.xml').read_text()).group(1)

NODES = (
    'perception_node',
    'controller_node',
    'supervisor_node',
    'servo_stand_in_node',
    'sim_node',
    'teleop_node',
    'recorder_node',
    'camera_node',
)

# The camera's library, and the libusb it links to, which containers lack.
REALSENSE = ('libusb-package', 'pyrealsense2>=2.59')
WITH_WHEELS = 'platform_machine == "x86_64" and python_version < "3.14"'


def files_below(directory):
    """Every file below a directory of the checkout, as paths relative to the checkout."""
    files = (path for path in (ROOT / directory).rglob('*') if path.is_file())
    return sorted(path.relative_to(ROOT) for path in files if '__pycache__' not in path.parts)


def share_files(*directories):
    """``data_files`` entries that copy whole directories to ``share/magma_ros``."""
    return [
        (f'share/{NAME}/{path.parent}', [str(path)])
        for directory in directories
        for path in files_below(directory)
    ]


setup(
    name=NAME,
    version=VERSION,
    description='Magma vision-language-action model on a real arm through ROS 2 and MoveIt',
    license='Apache-2.0',
    maintainer='magma_ros maintainers',
    maintainer_email='magma-ros@users.noreply.github.com',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={
        NAME: [path.relative_to(NAME).as_posix() for path in files_below(f'{NAME}/assets')]
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        *share_files('config', 'launch', 'urdf'),
    ],
    python_requires='>=3.10',
    install_requires=[
        'lz4',
        'mcap',
        'numpy',
        'onnxruntime',
        'opencv-python-headless',
        'pillow',
        'pin',
        'rich',
        'ruamel.yaml',
        'ruckig',
        'safetensors',
        'scipy',
        'tokenizers',
        'xacro',
        'zstandard',
    ],
    extras_require={
        'data': ['av', 'google-crc32c', 'h5py', 'jinja2', 'pyarrow', 'rosbags'],
        'finetune': [
            'accelerate',
            'matplotlib',
            'onnx',
            'onnxscript',
            'peft',
            'torch',
            'transformers',
        ],
        'hub': ['huggingface_hub'],
        'ray': ['ray'],
        'realsense': REALSENSE,
        'serve': ['httpx', 'msgpack', 'starlette', 'uvicorn>=0.35', 'websockets>=15'],
        'sessions': ['jinja2', 'matplotlib'],
        'sim': ['mujoco'],
        'teleop': ['pygame-ce', 'pyspacemouse'],
        'video': ['av'],
        'torch': ['torch', 'transformers', 'onnx', 'onnxscript'],
        'test': [
            'av',
            'google-crc32c',
            'h5py',
            'hypothesis',
            'jinja2',
            'matplotlib',
            'mcap-ros2-support',
            'mypy',
            'pyarrow',
            'pytest',
            'pytest-xdist',
            'rosbags',
            'ruff',
            'statsmodels',
            *(f'{wheel}; {WITH_WHEELS}' for wheel in REALSENSE),
        ],
    },
    entry_points={
        'console_scripts': [
            'magma = magma_ros.tools.magma:main',
            *(f'{node} = magma_ros.nodes.{node}:main' for node in NODES),
        ],
    },
    zip_safe=False,
)
