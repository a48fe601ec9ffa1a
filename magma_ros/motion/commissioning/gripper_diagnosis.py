"""What a gripper that was told to open and to close says about its joint."""

from __future__ import annotations

from magma_ros.motion.commissioning.records import Kind, Mismatch

# What a driver may publish in the place of metres of one finger.
TRAVEL_UNITS = {
    'millimetres': 1000.0,
    'centimetres': 100.0,
    'the gap between both fingers': 2.0,
}
TOLERANCE = 0.2  # of the travel
STILL = 0.1  # of the travel


def diagnose_gripper(
    opened_m: float, closed_m: float, finger_open_m: float, finger_closed_m: float
) -> tuple[Mismatch, ...]:
    """Compare where the gripper joint went with the profile.

    Args:
        opened_m: its position after it was told to open.
        closed_m: after it was told to close, with nothing between the fingers.
        finger_open_m: of the profile.
        finger_closed_m: of the profile.
    """
    expected = (finger_open_m, finger_closed_m)
    travel = abs(finger_open_m - finger_closed_m)
    text = f'the gripper joint went from {opened_m:.4f} (open) to {closed_m:.4f} (closed)'
    if abs(opened_m - closed_m) < STILL * travel:
        advice = 'is its torque on, and is this its joint?'
        return (Mismatch(Kind.GRIPPER_STUCK, f'{text}: {advice}'),)
    shares = {'an opening from 0 to 1': (1.0, 0.0), 'an opening in percent': (100.0, 0.0)}
    scaled = {
        unit: (factor * finger_open_m, factor * finger_closed_m)
        for unit, factor in TRAVEL_UNITS.items()
    }
    measured = (opened_m, closed_m)
    for unit, (far, near) in {'': expected, **scaled, **shares}.items():
        for is_turned, ends in ((False, (far, near)), (True, (near, far))):
            if _is_near(measured, ends):
                return _findings(text, unit, is_turned, expected)
    return (
        Mismatch(
            Kind.GRIPPER_TRAVEL,
            f'{text}, the profile has {finger_open_m} and {finger_closed_m} m: clear what is '
            'between the fingers, or correct finger_open_m and finger_closed_m',
        ),
    )


def _is_near(measured: tuple[float, float], ends: tuple[float, float]) -> bool:
    slack = TOLERANCE * abs(ends[0] - ends[1])
    return all(abs(m - e) <= slack for m, e in zip(measured, ends, strict=True))


def _findings(
    text: str, unit: str, is_turned: bool, expected: tuple[float, float]
) -> tuple[Mismatch, ...]:
    found = []
    if unit:
        found.append(
            Mismatch(
                Kind.GRIPPER_UNIT,
                f'{text}: that is {unit}, the profile has {expected[0]} and {expected[1]} m of '
                'one finger; set the unit in the driver',
            )
        )
    if is_turned:
        found.append(
            Mismatch(
                Kind.GRIPPER_POLARITY,
                f'{text}: open and closed are exchanged; exchange finger_open_m and '
                'finger_closed_m, or turn the sign in the driver',
            )
        )
    return tuple(found)
