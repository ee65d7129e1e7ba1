//! Repeats known vulnerabilities of other software; each test has the name of its advisory.

mod endings;
mod fixation;
mod injection;
mod leaks;
