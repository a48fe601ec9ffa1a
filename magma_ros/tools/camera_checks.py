"""Checks of ``magma doctor`` on cameras: RealSense ones with their USB speed, and others."""

from __future__ import annotations

import json
import os
from pathlib import Path

from magma_ros.tools.finding import Finding, probe

LIST_CAMERAS = """
import json
from dataclasses import asdict
from magma_ros.camera.realsense_devices import list_cameras
from magma_ros.camera.realsense_library import load_realsense
found = list_cameras(load_realsense().context())
print(json.dumps([{**asdict(camera), 'is_slow': camera.is_slow} for camera in found]))
"""
PROBE_S = 20.0


def check_realsense() -> Finding:
    """Which RealSense cameras pyrealsense2 finds, and how fast their USB link is."""
    works, answer = probe(LIST_CAMERAS, os.environ, PROBE_S)
    if not works:
        return Finding(
            'RealSense',
            None,
            answer.removeprefix('magma_ros.errors.EnvironmentMissing: '),
            'only for cameras without their ROS driver: pip install -e ".[realsense]"',
        )
    cameras = json.loads(answer)
    if not cameras:
        return Finding(
            'RealSense',
            None,
            'none connected',
            "plug one into a USB 3 port; not found: install librealsense's udev rules "
            '(docs/cameras.md)',
        )
    what = '; '.join(f'{c["name"]} {c["serial"]}, USB {c["usb"] or "?"}' for c in cameras)
    if any(camera['is_slow'] for camera in cameras):
        return Finding(
            'RealSense',
            False,
            what,
            'USB 2 is too slow: use a USB 3 port and the cable it came with',
        )
    return Finding('RealSense', True, what, 'magma perceive --source realsense shows its pictures')


def check_video_devices(directory: Path = Path('/sys/class/video4linux')) -> Finding:
    """Which video devices Linux has, and whether they may be opened."""
    names = {}
    for entry in sorted(directory.glob('video*')):
        label = entry / 'name'
        names[entry.name] = label.read_text().strip() if label.is_file() else '?'
    if not names:
        return Finding(
            'video devices',
            None,
            'no /dev/video*',
            'a webcam or RealSense would be one; not needed',
        )
    what = '; '.join(f'/dev/{name} {label}' for name, label in names.items())
    shut = [f'/dev/{name}' for name in names if not os.access(f'/dev/{name}', os.R_OK | os.W_OK)]
    if shut:
        return Finding(
            'video devices',
            False,
            f'{what}; may not be opened: {", ".join(shut)}',
            'sudo usermod -aG video $USER and log in again; containers: --device',
        )
    return Finding('video devices', True, what, 'nothing to do')
