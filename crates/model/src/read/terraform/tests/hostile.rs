//! Input that is made to take long, or to break.
