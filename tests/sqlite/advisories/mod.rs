//! Advisories against other libraries: each test has the name of the advisory that it would have caught,
//! or of the project and the year if there is no number.

mod creation;
mod endings;
mod fixation;
mod injection;
