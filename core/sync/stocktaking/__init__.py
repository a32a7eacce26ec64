"""Stock that differs: their figure beside ours, and the moves there and corrections here that explain it. Nothing is applied."""

from core.sync.stocktaking.reading import Difference, Move, differences, moves

__all__ = ["Difference", "Move", "differences", "moves"]
