//! Stateful vendor simulators.
