//! The clients against small servers, right and wrong ones, on port 0.

mod connection;
mod echo;
mod http;
mod lines;
mod register;
mod resp;
mod server;
mod urgent;
