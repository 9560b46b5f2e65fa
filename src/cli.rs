//! What was typed, turned into validated settings, turned into work.
