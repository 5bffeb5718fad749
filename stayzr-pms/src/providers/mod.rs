//! One folder for each vendor, all of the same shape.
