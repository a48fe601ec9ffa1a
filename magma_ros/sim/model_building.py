"""Builds the MuJoCo model: the arm from its URDF, a table, things to handle, a camera and lights.

Physics values: those of a study that grasped about 4000 times without slip or explosion
(docs/nano.md).
"""

from __future__ import annotations

import math

import mujoco

from magma_ros.robot.kinematics import Kinematics
from magma_ros.sim.tasks import (
    BOWL_HEIGHT_M,
    CUBE_EDGE_M,
    CUBES,
    DISTRACTORS,
    RECEPTACLE_RADIUS_M,
    RECEPTACLES,
)

TIME_STEP_S = 0.002
PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX = 640, 480
VERTICAL_VIEW_DEG = 42.5  # RealSense D435 colour at 640x480: focal length 617 px
CAMERA_POSITION_M = (0.72, 0.0, 0.56)
CAMERA_LOOK_AT_M = (0.265, 0.0, 0.045)
LIGHT_POSITION_M = (0.5, -0.6, 1.4)
AMBIENT, DIFFUSE = 0.45, 0.5
_KEEP_ALL = '<mujoco><compiler discardvisual="false" fusestatic="false"/></mujoco>'
PARKED_X_M = -3.0  # things a scene does not use stand here

COLOURS = {
    'red': (0.85, 0.10, 0.10, 1),
    'green': (0.10, 0.62, 0.16, 1),
    'blue': (0.10, 0.22, 0.85, 1),
    'yellow': (0.93, 0.80, 0.10, 1),
    'white': (0.93, 0.93, 0.93, 1),
    'orange': (0.95, 0.45, 0.05, 1),
    'purple': (0.50, 0.12, 0.60, 1),
}
# solref 6 ms and hard impedance: a 30 g cube is held by friction without creeping out.
CONTACT = {'solref': (0.006, 1.0), 'solimp': (0.95, 0.99, 0.001, 0.5, 2.0), 'condim': 4}
PAD_FRICTION = (1.6, 0.05, 0.0005)
OBJECT_FRICTION = (1.0, 0.02, 0.0001)


def build_model(urdf: str, kinematics: Kinematics, tip_link: str) -> mujoco.MjModel:
    """The compiled world. Joint, actuator and body names are the URDF's; things have their own."""
    # MuJoCo drops a URDF's visuals and merges fixed links unless told otherwise inside the file.
    spec = mujoco.MjSpec.from_string(urdf.replace('</robot>', _KEEP_ALL + '</robot>'))
    spec.option.timestep = TIME_STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 960
    spec.visual.quality.offsamples = 0
    spec.visual.quality.shadowsize = 2048
    spec.visual.headlight.ambient = [AMBIENT] * 3
    spec.visual.headlight.diffuse = [0.35] * 3
    spec.visual.headlight.specular = [0, 0, 0]
    spec.visual.map.znear, spec.visual.map.zfar = 0.05, 10
    _prepare_arm(spec, kinematics, tip_link)
    _add_table(spec)
    for name in CUBES:
        _add_cube(spec, name)
    for name in RECEPTACLES:
        _add_receptacle(spec, name)
    for name in DISTRACTORS:
        body = spec.worldbody.add_body(name=name, mocap=True, pos=(PARKED_X_M, 0, 0))
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=(0.018, 0.024, 0),
            pos=(0, 0, 0.024),
            rgba=COLOURS[name.split()[0]],
            friction=OBJECT_FRICTION,
        )
    _add_camera_and_light(spec)
    return spec.compile()


def _prepare_arm(spec: mujoco.MjSpec, kinematics: Kinematics, tip_link: str) -> None:
    for geom in spec.geoms:
        if geom.name.endswith('_pad'):
            geom.friction = PAD_FRICTION
            _set_contact(geom)
            geom.rgba = (0, 0, 0, 0)  # the visual box has the same shape
        else:
            geom.contype = geom.conaffinity = 0
    for body in spec.bodies:
        body.gravcomp = 1.0
    for name in kinematics.joint_names:
        joint = spec.joint(name)
        joint.damping[0], joint.armature = 1.0, 0.1
        actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.set_to_position(kp=120.0, dampratio=1.0)
        actuator.forcerange = (-35.0, 35.0)
        actuator.forcelimited = True
    for side in ('left', 'right'):
        finger = spec.joint(f'{side}_finger')
        finger.armature, finger.damping[0] = 0.5, 20.0
    spec.joint('gripper').damping[0] = 0.1
    if not any(equality.name1 == 'right_finger' for equality in spec.equalities):
        spec.add_equality(
            name='fingers',
            type=mujoco.mjtEq.mjEQ_JOINT,
            objtype=mujoco.mjtObj.mjOBJ_JOINT,
            name1='right_finger',
            name2='left_finger',
            data=[0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            solref=(0.005, 1.0),
        )
    gripper = spec.add_actuator(
        name='gripper', target='left_finger', trntype=mujoco.mjtTrn.mjTRN_JOINT
    )
    gripper.set_to_position(kp=1500.0, kv=60.0)
    gripper.forcerange = (-18.0, 18.0)
    gripper.forcelimited = True
    pads = [body.name for body in spec.bodies if body.name.endswith('_finger_link')]
    spec.add_exclude(name='pads', bodyname1=pads[0], bodyname2=pads[1])
    spec.body(tip_link).add_site(name='tool')


def _set_contact(geom: mujoco.MjsGeom) -> None:
    geom.solref = CONTACT['solref']
    geom.solimp = CONTACT['solimp']
    geom.condim = CONTACT['condim']


def _add_table(spec: mujoco.MjSpec) -> None:
    spec.add_texture(
        name='wood',
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=(0.66, 0.52, 0.38),
        rgb2=(0.62, 0.48, 0.35),
        width=256,
        height=256,
    )
    material = spec.add_material(name='wood', texrepeat=(6, 6))
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = 'wood'
    spec.worldbody.add_geom(
        name='table',
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=(0.5, 0.5, 0.02),
        pos=(0.3, 0, -0.02),
        material='wood',
        friction=(1.0, 0.005, 0.0001),
    )
    spec.worldbody.add_geom(
        name='floor',
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(3, 3, 0.1),
        pos=(0, 0, -0.75),
        rgba=(0.35, 0.36, 0.38, 1),
    )


def _add_cube(spec: mujoco.MjSpec, name: str) -> None:
    half = CUBE_EDGE_M / 2
    body = spec.worldbody.add_body(name=name, pos=(PARKED_X_M, 0, half))
    body.add_freejoint(name=name)
    geom = body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=(half, half, half),
        mass=0.030,
        rgba=COLOURS[name.split()[0]],
        friction=OBJECT_FRICTION,
    )
    _set_contact(geom)


def _add_receptacle(spec: mujoco.MjSpec, name: str) -> None:
    colour, shape = name.split()
    body = spec.worldbody.add_body(name=name, mocap=True, pos=(PARKED_X_M, 0, 0))
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(RECEPTACLE_RADIUS_M, 0.003, 0),
        pos=(0, 0, 0.003),
        rgba=COLOURS[colour],
        friction=OBJECT_FRICTION,
    )
    if shape == 'bowl':
        segments = 16
        for index in range(segments):
            angle = 2 * math.pi * index / segments
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=(0.003, RECEPTACLE_RADIUS_M * math.pi / segments + 0.001, BOWL_HEIGHT_M / 2),
                pos=(
                    RECEPTACLE_RADIUS_M * math.cos(angle),
                    RECEPTACLE_RADIUS_M * math.sin(angle),
                    BOWL_HEIGHT_M / 2,
                ),
                quat=(math.cos(angle / 2), 0, 0, math.sin(angle / 2)),
                rgba=COLOURS[colour],
                friction=OBJECT_FRICTION,
            )


def _add_camera_and_light(spec: mujoco.MjSpec) -> None:
    spec.worldbody.add_camera(name='camera', pos=CAMERA_POSITION_M, fovy=VERTICAL_VIEW_DEG)
    spec.worldbody.add_light(
        name='key',
        pos=LIGHT_POSITION_M,
        dir=(-0.2, 0.4, -1.0),
        diffuse=[DIFFUSE] * 3,
        specular=[0.1] * 3,
        castshadow=True,
    )
