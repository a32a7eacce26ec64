"""Weights by geometry: plates, rounds, rings, hexagons, in millimetres, giving kilograms.

Densities are those the product standards prescribe for theoretical weights: steel 7.85 (GB/T 709, GB/T
702), copper 8.89 (GB/T 3953), g/cm3.
"""

from decimal import Decimal

PI = Decimal("3.14159265358979")
STEEL = Decimal("7.85E-6")  # kg per mm3
COPPER = Decimal("8.89E-6")
HEXAGON = Decimal("0.866025403784439")  # area of a hexagon over its width across flats, squared


def disc(diameter: Decimal) -> Decimal:
    """Area of a circle, mm2."""
    return PI * diameter * diameter / 4


def ring(outer: Decimal, inner: Decimal, height: Decimal) -> Decimal:
    """Volume of a plain ring, mm3."""
    return (disc(outer) - disc(inner)) * height


def hexagon(across_flats: Decimal, height: Decimal) -> Decimal:
    """Volume of a hexagonal prism, mm3."""
    return HEXAGON * across_flats * across_flats * height


def strip_kg_per_m(width: Decimal, thickness: Decimal) -> Decimal:
    """Steel strip by the trade's formula: 0.00785 x width x thickness, kg/m."""
    return Decimal("0.00785") * width * thickness


def plate_kg(thickness: Decimal, width: Decimal, length: Decimal) -> Decimal:
    """One rectangular steel plate, kg."""
    return strip_kg_per_m(width, thickness) * length / 1000


def round_bar_kg_per_m(diameter: Decimal) -> Decimal:
    """Plain round steel by the trade's formula: 0.00617 x diameter squared, kg/m."""
    return Decimal("0.00617") * diameter * diameter
