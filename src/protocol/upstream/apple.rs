//! What Apple's page posts beside the code when a person comes for the first time: their name, never again and unsigned.

use serde::Deserialize;

/// Bytes; names are shorter.
const LONGEST: usize = 2 * 1024;

#[derive(Deserialize)]
struct User {
    name: Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
}

/// The name in the parameter `user`.
#[must_use]
pub fn name(user: &str) -> Option<String> {
    let User { name } = serde_json::from_str(Some(user).filter(|user| user.len() <= LONGEST)?).ok()?;
    let parts: Vec<String> = [name.first_name, name.last_name].into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_and_anything_else_is_none() {
        let whole = r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ada@example.com"}"#;
        assert_eq!(name(whole), Some("Ada Lovelace".to_owned()));
        assert_eq!(name(r#"{"name":{"firstName":"Ada","lastName":" "}}"#), Some("Ada".to_owned()));
        for text in ["", "null", "{}", r#"{"name":{}}"#, r#"{"name":"Ada"}"#, r#"{"name":{"firstName":5}}"#] {
            assert_eq!(name(text), None, "{text}");
        }
        assert_eq!(name(&format!(r#"{{"name":{{"firstName":"{}"}}}}"#, "x".repeat(LONGEST))), None);
    }
}
