//! PyTorchJob in, TrainJob out, with an account of every field.
