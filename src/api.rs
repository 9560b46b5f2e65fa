//! Shapes only: the objects that trainshift reads and writes.
