"""How often the best class is the right one, and how often one of the best five is."""

from renaissance.runtime.tasks.cifar_reader import by_row
from renaissance.runtime.tasks.cifar_reader import measured as measure

__all__ = ["by_row", "measure"]
