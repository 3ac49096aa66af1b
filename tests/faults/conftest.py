"""Tests of faults compute on one thread, whatever the machine has."""

import torch

torch.set_num_threads(1)
