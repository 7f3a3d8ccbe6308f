//! The static files inside the binary: a path comes in, the bytes with their content type and `ETag` go out.
//!
//! Pages link to `url("app.css")`, whose `?v=` changes with the bytes, so browsers may keep such a reply for ever. What is
//! asked for without it (a module that another one imports) is revalidated by its `ETag`.

use std::borrow::Cow;
use std::fmt::Write as _;

use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "static/"]
struct Files;

/// Which files may be had: a development server has some more, and `serve` must not know of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    Serve,
    Dev,
}

/// One static file, ready to be sent.
#[derive(Clone, Debug)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: &'static str,
    /// A strong entity tag with its quotes (RFC 9110 §8.8.3).
    pub etag: String,
    version: String,
}

impl Asset {
    /// The `Cache-Control` for a request whose query had this `v`.
    #[must_use]
    pub fn cache_control(&self, asked_version: Option<&str>) -> &'static str {
        if asked_version == Some(self.version.as_str()) { "public, max-age=31536000, immutable" } else { "no-cache" }
    }
}

/// The file at `path` under `static/` (`app.css`, `signin/view.js`); `None` where there is none on this shelf.
#[must_use]
pub fn find(path: &str, shelf: Shelf) -> Option<Asset> {
    if shelf == Shelf::Serve && is_for_dev(path) {
        return None;
    }
    let file = Files::get(path)?;
    let digest = hex(&file);
    let version = digest.chars().take(8).collect();
    Some(Asset { content_type: content_type(path), etag: format!("\"{digest}\""), version, bytes: file.data })
}

/// The URL of a static file, with the version of its bytes.
#[must_use]
pub fn url(path: &str) -> String {
    match find(path, Shelf::Dev) {
        Some(asset) => format!("/static/{path}?v={}", asset.version),
        None => format!("/static/{path}"),
    }
}

fn is_for_dev(path: &str) -> bool {
    path.starts_with("dev/") || path.starts_with("vendor/") || path.starts_with("playground")
}

// Half of the SHA-256: 128 bits tell one version of a file from another well enough.
fn hex(file: &EmbeddedFile) -> String {
    file.metadata.sha256_hash().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::{Shelf, content_type, find, is_for_dev, url};

    #[test]
    fn a_page_can_have_its_files() {
        let css = find("app.css", Shelf::Serve).unwrap();
        assert_eq!(css.content_type, "text/css; charset=utf-8");
        assert!(!css.bytes.is_empty());
        assert!(css.etag.starts_with('"') && css.etag.ends_with('"') && css.etag.len() == 34, "{}", css.etag);
        for path in ["signin.js", "form-post.js", "once.js"] {
            assert_eq!(find(path, Shelf::Serve).unwrap().content_type, "text/javascript; charset=utf-8", "{path}");
        }
        for path in ["logo.svg", "favicon.svg"] {
            assert_eq!(find(path, Shelf::Serve).unwrap().content_type, "image/svg+xml", "{path}");
        }
    }

    #[test]
    fn nothing_outside_the_folder_can_be_had() {
        for path in ["", "nothing.css", "../Cargo.toml", "/etc/passwd", "signin", "./app.css", "%2e%2e/Cargo.toml"] {
            assert!(find(path, Shelf::Dev).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_for_development_is_not_served_otherwise() {
        for path in ["dev/wallet.js", "playground.css", "playground/page.js", "vendor/noble-hashes/sha3.js"] {
            assert!(is_for_dev(path), "{path}");
        }
        assert!(!is_for_dev("signin/wallets.js"));
    }

    #[test]
    fn only_the_very_bytes_that_a_page_named_are_kept_for_ever() {
        let address = url("app.css");
        let version = address.strip_prefix("/static/app.css?v=").unwrap();
        let css = find("app.css", Shelf::Serve).unwrap();
        assert_eq!(version.len(), 8);
        assert_eq!(css.cache_control(Some(version)), "public, max-age=31536000, immutable");
        assert_eq!(css.cache_control(Some("00000000")), "no-cache");
        assert_eq!(css.cache_control(None), "no-cache");
        assert_eq!(content_type("LICENSE"), "text/plain; charset=utf-8");
    }
}
