"""For all tests: one thread, since that is quickest for small networks, and gives one result."""

import torch

torch.set_num_threads(1)
