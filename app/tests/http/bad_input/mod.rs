//! Sends input that browsers never send, and mistakes that people make.

mod fields;
mod forms;
mod http2;
mod pages;
mod wire;
