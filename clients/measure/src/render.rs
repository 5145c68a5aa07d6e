//! A report as people read it: table, Markdown, CSV, and one HTML page with pictures.
