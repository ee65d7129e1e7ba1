//! What went wrong in others: each test is named after the advisory that it would have caught, or
//! after the project and the year where there is no number.

mod creation;
mod endings;
mod fixation;
mod injection;
