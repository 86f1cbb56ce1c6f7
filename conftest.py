"""For all tests: one thread, since that is quickest for small networks, and gives one result."""

import signal

import torch

torch.set_num_threads(1)
# A shell that starts the tests in the background has them ignore Ctrl-C, and then the commands
# that they start and interrupt would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)
