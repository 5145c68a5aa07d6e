//! The page, inside the binary. A debug build reads it from the source tree, so that it can be changed while it runs.

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// One file.
pub(crate) struct Asset {
    pub(crate) bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub(crate) kind: String,
    /// Made of its content.
    pub(crate) etag: String,
}

/// The file with this name. Names beyond the folder are not found.
pub(crate) fn find(name: &str) -> Option<Asset> {
    let EmbeddedFile { data, metadata } = Files::get(name)?;
    let hash = metadata.sha256_hash();
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(Asset { bytes: data, kind: kind(name), etag: format!("\"{hash}\"") })
}

fn kind(name: &str) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    if kind.subtype() == mime_guess::mime::JAVASCRIPT {
        // RFC 9239 section 6: the others are obsolete.
        return "text/javascript; charset=utf-8".to_owned();
    }
    let is_text = kind.type_() == mime_guess::mime::TEXT;
    if is_text { format!("{kind}; charset=utf-8") } else { kind.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_styles_have_the_types_that_browsers_insist_on() {
        assert_eq!(kind("app.js"), "text/javascript; charset=utf-8");
        assert_eq!(kind("views/tree.mjs"), "text/javascript; charset=utf-8");
        assert_eq!(kind("style.css"), "text/css; charset=utf-8");
        assert_eq!(kind("index.html"), "text/html; charset=utf-8");
        assert_eq!(kind("mark.svg"), "image/svg+xml");
        assert_eq!(kind("data.json"), "application/json");
    }

    #[test]
    fn names_do_not_lead_out_of_the_folder() {
        assert!(find("index.html").is_some());
        for name in
            ["", "../Cargo.toml", "../src/lib.rs", "/etc/passwd", "nothing.js", "./../Cargo.toml"]
        {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
