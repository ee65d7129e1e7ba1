//! What browsers never send, and what people send by mistake, over HTTP.

mod fields;
mod forms;
mod http2;
mod pages;
mod wire;
