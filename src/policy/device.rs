//! Devices (RFC 8628): what a person's browser shows next, what a poll that gave nothing is told, and what is issued.

use std::time::Duration;

use crate::domain::{ClientId, CodeId, RedirectUri, Timestamp};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{Device, DeviceState, GrantedDevice, NewCode, Session};

/// What is known when the question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The browser's live session, if it has one.
    pub session: Option<&'a Session>,
    /// The device of this visit, while it is kept.
    pub device: Option<&'a Device>,
    pub now: Timestamp,
}

/// What the browser shows next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    SignIn,
    /// Ask, whatever was agreed to before: what is asked is also whether this is the person's own device.
    Ask,
    /// This person let it in.
    Allowed,
    Denied,
    /// Somebody else decided, or it took too long.
    Over,
}

/// Decides the next step of a visit that came with a device's code.
// RFC 8628 §5.4: "it is RECOMMENDED to inform the user that they are authorizing a device during the user-interaction step … and to confirm
// that the device is in their possession"; so there is no way from here to a device that is let in without a press of a button.
#[must_use]
pub fn next_step(facts: Facts<'_>) -> Step {
    match (facts.device, facts.session) {
        (None, _) => Step::Over,
        (Some(device), _) if device.denied => Step::Denied,
        (Some(Device { approved_by: Some(person), .. }), session) => {
            if session.is_some_and(|session| session.account_id == *person) {
                Step::Allowed
            } else {
                Step::Over
            }
        }
        (Some(device), _) if device.expires_at <= facts.now => Step::Over,
        (Some(_), None) => Step::SignIn,
        (Some(_), Some(_)) => Step::Ask,
    }
}

/// What the client is told of a poll that found nothing to redeem.
#[must_use]
pub fn not_granted(state: Option<&DeviceState>, client: &ClientId, now: Timestamp) -> OAuthError {
    let error = OAuthError::new;
    // Another client learns nothing about the code.
    let Some(state) = state.filter(|state| state.client_id == *client) else {
        return error(ErrorCode::InvalidGrant, "device_code is unknown, or expired long ago");
    };
    if state.denied {
        // RFC 8628 §3.5: "access_denied: The authorization request was denied."
        return error(ErrorCode::AccessDenied, "the person did not allow it; stop polling");
    }
    if state.redeemed {
        // Nothing is revoked: a device that polls twice at once must not lose what it got.
        return error(ErrorCode::InvalidGrant, "device_code was already used; it works once");
    }
    if state.expires_at <= now {
        // RFC 8628 §3.5: "The client MAY commence a new device authorization request but SHOULD wait for user interaction before
        // restarting to avoid unnecessary polling."
        return error(ErrorCode::ExpiredToken, "device_code has expired; ask for a new one when the person wants to go on");
    }
    pending()
}

/// What a poll is told while nobody has decided.
// RFC 8628 §3.5: "The authorization request is still pending as the end user hasn't yet completed the user-interaction steps".
#[must_use]
pub fn pending() -> OAuthError {
    OAuthError::new(ErrorCode::AuthorizationPending, "nobody has decided yet; poll again after the interval")
}

/// What a poll is told that came too soon.
// RFC 8628 §3.5: slow_down: "A variant of "authorization_pending"".
#[must_use]
pub fn too_soon() -> OAuthError {
    OAuthError::new(ErrorCode::SlowDown, "this poll came before its time; from now on wait 5 seconds more between two polls")
}

/// Decides over a device that was just spent. It stays spent whatever comes out.
pub fn decide(granted: &GrantedDevice) -> Result<(), OAuthError> {
    let refuse = |description: &'static str| Err(OAuthError::new(ErrorCode::InvalidGrant, description));
    if granted.account_disabled {
        return refuse("the account that this device was let in for is disabled");
    }
    if granted.client_disabled {
        return refuse("this client is disabled");
    }
    if granted.consent_withdrawn {
        return refuse("the person withdrew this app");
    }
    Ok(())
}

/// The record of a device's tokens: a code that was redeemed. It belongs to no session, because the browser in which the person said yes may
/// be somebody else's, and is left behind; `page` is where they said it. `of_tokens`: how long the longest of its tokens may live.
#[must_use]
pub fn record(granted: &GrantedDevice, id: CodeId, page: RedirectUri, now: Timestamp, of_tokens: Duration) -> NewCode {
    NewCode {
        id,
        client_id: granted.client_id.clone(),
        account_id: granted.account_id,
        session_id: None,
        redirect_uri: page,
        scope: granted.scope.clone(),
        nonce: None,
        code_challenge: None,
        provider: granted.provider.clone(),
        subject: granted.subject.clone(),
        amr: granted.amr.clone(),
        authenticated_at: granted.authenticated_at,
        // When the person agreed: what is disabled or withdrawn from then on is the end of these tokens too.
        issued_at: granted.approved_at,
        expires_at: now,
        kept_until: now.plus(of_tokens),
        resource: granted.resource.clone(),
        claims: None,
        authorization_details: None,
        told_as: None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, DeviceId, InteractionId, Provider, Scope, SessionId};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn account(number: u128) -> AccountId {
        AccountId(Uuid::from_u128(number))
    }

    fn device() -> Device {
        Device {
            id: DeviceId(Uuid::nil()),
            client_id: "tv".parse().unwrap(),
            scope: Scope::default(),
            resource: None,
            expires_at: at(100),
            denied: false,
            approved_by: None,
        }
    }

    fn session(number: u128) -> Session {
        Session {
            id: SessionId(Uuid::nil()),
            account_id: account(number),
            provider: Provider::web3(),
            subject: String::new(),
            label: String::new(),
            proved_at: None,
            amr: vec![],
            authenticated_at: at(0),
            interaction_id: InteractionId(Uuid::nil()),
            user_agent: String::new(),
            last_seen_at: at(0),
            expires_at: at(1_000),
        }
    }

    #[test]
    fn what_a_browser_shows_next() {
        let devices = [
            ("swept", None),
            ("waiting", Some(device())),
            ("let in by Ada", Some(Device { approved_by: Some(account(1)), ..device() })),
            ("denied", Some(Device { denied: true, ..device() })),
        ];
        let sessions = [("nobody", None), ("Ada", Some(session(1))), ("Bob", Some(session(2)))];
        let mut table = String::new();
        for (device_name, device) in &devices {
            for (session_name, session) in &sessions {
                for (when, now) in [("in time", 99), ("too late", 100)] {
                    let step = next_step(Facts { session: session.as_ref(), device: device.as_ref(), now: at(now) });
                    writeln!(table, "{device_name:14} {session_name:7} {when:9} => {step:?}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_a_poll_is_told() {
        let state = DeviceState { client_id: "tv".parse().unwrap(), expires_at: at(100), denied: false, redeemed: false };
        let states = [
            ("no such code", None),
            ("waiting", Some(state.clone())),
            ("denied", Some(DeviceState { denied: true, ..state.clone() })),
            ("redeemed", Some(DeviceState { redeemed: true, ..state })),
        ];
        let mut table = String::new();
        for (name, state) in &states {
            for client in ["tv", "other"] {
                for (when, now) in [("in time", 99), ("too late", 100)] {
                    let error = not_granted(state.as_ref(), &client.parse().unwrap(), at(now));
                    writeln!(table, "{name:12} polled by {client:5} {when:9} => {error}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    fn granted() -> GrantedDevice {
        GrantedDevice {
            client_id: "tv".parse().unwrap(),
            account_id: account(1),
            scope: "openid".parse().unwrap(),
            resource: None,
            provider: Provider::web3(),
            subject: String::new(),
            amr: vec!["pop".to_owned()],
            authenticated_at: at(5),
            approved_at: at(10),
            wallet: None,
            email: None,
            account_disabled: false,
            client_disabled: false,
            consent_withdrawn: false,
        }
    }

    #[test]
    fn what_ended_since_the_person_agreed_refuses_the_device() {
        let refusal = |granted| decide(&granted).unwrap_err().to_string();
        assert!(decide(&granted()).is_ok());
        assert!(refusal(GrantedDevice { account_disabled: true, ..granted() }).contains("account"));
        assert!(refusal(GrantedDevice { client_disabled: true, ..granted() }).contains("client"));
        assert!(refusal(GrantedDevice { consent_withdrawn: true, ..granted() }).contains("the person withdrew this app"));
    }

    #[test]
    fn a_record_lives_as_long_as_its_tokens_and_began_with_the_consent() {
        let page = "https://id.example/device".parse().unwrap();
        let record = record(&granted(), CodeId(Uuid::nil()), page, at(20), Duration::from_mins(1));
        assert_eq!((record.issued_at, record.kept_until, record.authenticated_at), (at(10), at(80), at(5)));
        assert_eq!((record.session_id, record.nonce), (None, None));
    }
}
