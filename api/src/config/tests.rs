//! The configuration as its owners write it.
