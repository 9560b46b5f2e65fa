//! The cluster as plain data.
