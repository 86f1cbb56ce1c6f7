"""Sets of designs that linear and mixed-integer constraints allow: sampled, projected on to, or
shown to be empty. All in NumPy's float64; nothing here knows variables' names or torch.
"""
