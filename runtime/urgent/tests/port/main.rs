//! The urgent thread and its port, over real connections, with a small desk.

mod desk;
mod floods;
mod protocol;
mod watched;
