//! What went wrong in others: each test is named after the advisory that it would have caught.

mod endings;
mod fixation;
mod injection;
mod leaks;
