//! Stayzr.
