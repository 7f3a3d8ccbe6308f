//! A request to a server that knows this one: with a credential, and an answer that is read whole.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use url::Url;

use super::{Egress, EgressError, Fetched, Want};
use crate::domain::Secret;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub url: &'a Url,
    /// The whole `Authorization` header.
    pub authorization: Option<&'a Secret>,
    /// What is posted, as form text; without it, it is a GET.
    pub form: Option<&'a Secret>,
    pub want: Want,
}

impl Egress {
    /// Asks. No redirect is followed: what goes along is for that address alone.
    ///
    /// # Errors
    /// Everything but an answer. An answer that is no 200 is one.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Fetched, EgressError> {
        let mut request = match ask.form {
            None => self.http.get(ask.url.clone()),
            Some(form) => {
                self.http.post(ask.url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.expose().to_owned())
            }
        };
        if let Some(credential) = ask.authorization {
            let mut value = HeaderValue::from_str(credential.expose())
                .map_err(|_| EgressError::Forbidden("the credential is no text for a header".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.header(ACCEPT, ask.want.accept);
        self.bounded(async {
            let (response, _place) = self.send(ask.url, request).await?;
            Fetched::read(response, ask.want.most).await
        })
        .await
    }
}
