//! Small words made of values, for the templates: an app's letter, a short address, whether an address may be a link.

// A relative address is on this server. Of the others, those that a browser would run or read as a page of ours are no links:
// they can only come from a mistake further up, and this is the last door.
pub(super) fn cannot_run_script(address: &str) -> bool {
    match url::Url::parse(address) {
        Ok(url) => !matches!(url.scheme(), "javascript" | "data" | "vbscript" | "blob" | "file" | "filesystem" | "about"),
        Err(url::ParseError::RelativeUrlWithoutBase) => true,
        Err(_) => false,
    }
}

// The letter in an app's tile.
pub(super) fn initial(name: &str) -> String {
    name.chars().find(|letter| letter.is_alphanumeric()).map_or_else(|| "·".to_owned(), |letter| letter.to_uppercase().collect())
}

// `0x52A1…9f3C` of an address; anything else stays as it is. The whole one stands beside it for who wants to compare.
pub(super) fn short(identity: &str) -> String {
    match (identity.get(..6), identity.get(38..)) {
        (Some(head), Some(tail)) if identity.len() == 42 && head.starts_with("0x") => format!("{head}…{tail}"),
        _ => identity.to_owned(),
    }
}

// Where the browser goes back to, in words: a private scheme (RFC 8252 §7.1) is an app on the same device.
pub(super) fn is_app_scheme(host: &str) -> bool {
    host.ends_with(':')
}
