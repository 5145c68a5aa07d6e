//! Laws of what is sent and stored: configurations, maps, messages.

mod laws {
    mod configurations;
    mod maps;
}
