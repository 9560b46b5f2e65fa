//! Who is in which mode, and what follows from it.
