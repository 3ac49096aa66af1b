"""Triton's interpreter on every version of Triton and NumPy that the project takes."""

from typing import Any

from triton.runtime import interpreter


def bounds_of_loops() -> None:
    """Let a kernel's loop end at a number that it has loaded.

    Triton 3.6 makes a number of an array of shape [1] in a way that NumPy 2.4 and later refuse;
    later versions do it as here.
    """
    patch_tensor = interpreter._patch_lang_tensor

    def patch_tensor_and_index(tensor: type, scope: Any) -> None:
        patch_tensor(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: self.handle.data.item())

    interpreter._patch_lang_tensor = patch_tensor_and_index
