//! Whether the dashboard is there.

/// `ok`, also while the stage ends: this is about the dashboard.
pub(super) async fn get() -> &'static str {
    "ok\n"
}
