//! What a person chose on the playground's first page: in as a query, out as the same query or as parameters to send.

use std::time::Duration;

use openidconnect::core::CoreAuthPrompt;
use url::form_urlencoded;

/// The parameters of the authorization request that can be chosen. `openid` is always asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choices {
    pub email: bool,
    pub profile: bool,
    pub prompt: Option<Prompt>,
    pub max_age: Option<Duration>,
    pub form_post: bool,
}

/// `prompt` of OpenID Connect Core §3.1.2.1, as far as this server tells its values apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    None,
    Login,
    Consent,
}

impl Prompt {
    pub(super) const ALL: [Self; 3] = [Self::Login, Self::Consent, Self::None];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
        }
    }

    pub(super) const fn as_core(self) -> CoreAuthPrompt {
        match self {
            Self::None => CoreAuthPrompt::None,
            Self::Login => CoreAuthPrompt::Login,
            Self::Consent => CoreAuthPrompt::Consent,
        }
    }
}

impl Default for Choices {
    fn default() -> Self {
        Self { email: true, profile: true, prompt: None, max_age: None, form_post: false }
    }
}

impl Choices {
    /// Reads the form's query. An empty query gives the defaults; a value that the form does not offer is an error in words.
    pub(super) fn parse(query: &str) -> Result<Self, &'static str> {
        if query.is_empty() {
            return Ok(Self::default());
        }
        let mut choices = Self { email: false, profile: false, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("scope", "email") => choices.email = true,
                ("scope", "profile") => choices.profile = true,
                ("prompt", word) if !word.is_empty() => {
                    let prompt = Prompt::ALL.into_iter().find(|prompt| prompt.as_str() == word);
                    choices.prompt = Some(prompt.ok_or("The prompt is none, login or consent.")?);
                }
                ("max_age", digits) if !digits.is_empty() => {
                    let seconds: u32 = digits.parse().map_err(|_| "The longest age of a sign-in is a whole number of seconds.")?;
                    choices.max_age = Some(Duration::from_secs(seconds.into()));
                }
                ("response_mode", "form_post") => choices.form_post = true,
                _ => {}
            }
        }
        Ok(choices)
    }

    /// The query that `parse` reads as these choices.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("scope", "openid");
        if self.email {
            query.append_pair("scope", "email");
        }
        if self.profile {
            query.append_pair("scope", "profile");
        }
        if let Some(prompt) = self.prompt {
            query.append_pair("prompt", prompt.as_str());
        }
        if let Some(max_age) = self.max_age {
            query.append_pair("max_age", &max_age.as_secs().to_string());
        }
        query.append_pair("response_mode", if self.form_post { "form_post" } else { "query" });
        query.finish()
    }

    /// The same without `prompt=none`, which can only fail again where it has failed.
    pub(super) fn with_pages(&self) -> Self {
        Self { prompt: self.prompt.filter(|prompt| *prompt != Prompt::None), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_there_and_back() {
        let all = Choices { email: true, profile: false, prompt: Some(Prompt::Login), max_age: Some(Duration::ZERO), form_post: true };
        assert_eq!(Choices::parse(&all.query()), Ok(all.clone()));
        let few = Choices { email: false, profile: false, prompt: None, max_age: None, form_post: false };
        assert_eq!(Choices::parse(&few.query()), Ok(few));
        assert_eq!(Choices::parse(""), Ok(Choices::default()));
        assert_eq!(all.with_pages(), all);
        assert_eq!(Choices { prompt: Some(Prompt::None), ..all.clone() }.with_pages(), Choices { prompt: None, ..all });
    }

    #[test]
    fn what_the_form_does_not_offer_is_told_in_words() {
        assert!(Choices::parse("prompt=dance").is_err());
        assert!(Choices::parse("max_age=-1").is_err());
        assert!(Choices::parse("max_age=soon").is_err());
        assert!(Choices::parse("max_age=&prompt=&other=1").is_ok());
    }
}
