//! Devices that wait for a person (RFC 8628): asked for, looked up by what the person typed, decided once, redeemed once.

use std::time::Duration;

use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{on, read, sql, write_one};
use super::identities::verified_email;
use super::{NewCode, NewFamily, Session, Store, StoreError, codes, consents, endings, families};
use crate::domain::{AccountId, Address, ClientId, DeviceId, Email, Provider, Scope, Timestamp, TokenHash};

/// A device that begins to wait.
#[derive(Clone, Debug)]
pub struct NewDevice {
    pub id: DeviceId,
    pub client_id: ClientId,
    pub scope: Scope,
    /// The resources that its access token is for (RFC 8707); `None`: the client itself.
    pub resource: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// How long it waits between two polls.
    pub interval: Duration,
}

/// What a person is asked about, and what was decided.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Device {
    pub id: DeviceId,
    pub client_id: ClientId,
    pub scope: Scope,
    #[sqlx(json(nullable))]
    pub resource: Option<Vec<String>>,
    pub expires_at: Timestamp,
    pub denied: bool,
    /// Who let it in.
    #[sqlx(rename = "account_id")]
    pub approved_by: Option<AccountId>,
}

/// What a poll came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DevicePoll {
    /// Nobody has decided yet.
    Pending,
    /// It came too soon, and the next one has to wait longer.
    TooSoon,
    /// Spent by this poll.
    Granted(Box<GrantedDevice>),
    /// Unknown, another client's, denied, spent before or expired: nothing was changed.
    Nothing,
}

/// A device at its redemption, with all that its tokens need to know.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct GrantedDevice {
    pub client_id: ClientId,
    pub account_id: AccountId,
    pub scope: Scope,
    #[sqlx(json(nullable))]
    pub resource: Option<Vec<String>>,
    /// The identity that was proved in the browser.
    pub provider: Provider,
    pub subject: String,
    #[sqlx(json)]
    pub amr: Vec<String>,
    pub authenticated_at: Timestamp,
    pub approved_at: Timestamp,
    /// The identity's own address when it is a wallet, else the account's oldest wallet.
    pub wallet: Option<Address>,
    /// The address that the sign-in proves, or another one of the account.
    pub email: Option<Email>,
    pub account_disabled: bool,
    pub client_disabled: bool,
    /// The consent under which it was let in is gone, whether or not another one was given since.
    pub consent_withdrawn: bool,
}

/// What becomes of a device that was let in: the record of its tokens, as a code that was redeemed, and its refresh tokens.
#[derive(Clone, Debug)]
pub struct IssuedToDevice {
    pub record: NewCode,
    /// Of a text that nobody is given.
    pub record_hash: TokenHash,
    pub family: Option<NewFamily>,
}

/// Why a poll changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DeviceState {
    pub client_id: ClientId,
    pub expires_at: Timestamp,
    pub denied: bool,
    pub redeemed: bool,
}

/// Whether a poll at `$3` comes before its time; the first one never does.
macro_rules! too_soon {
    () => {
        "polled_at + interval_seconds * 1000000 > $3"
    };
}

sql! {
    /// Nothing for a client that was disabled a moment ago.
    PUT = "
        INSERT INTO device_authorization (id, device_hash, user_code_hash, client_id, scope, resource, created_at, expires_at,
                                          interval_seconds)
        SELECT $1, $2, $3, c.id, $5, $6, $7, $8, $9 FROM client c WHERE c.id = $4 AND c.disabled_at IS NULL";
    WAITING = "
        SELECT d.id FROM device_authorization d
        JOIN client c ON c.id = d.client_id
        WHERE d.user_code_hash = $1 AND d.expires_at > $2 AND d.approved_at IS NULL AND d.denied_at IS NULL AND c.disabled_at IS NULL";
    DEVICE = "
        SELECT id, client_id, scope, resource, expires_at, denied_at IS NOT NULL AS denied, account_id
        FROM device_authorization
        WHERE id = $1";
    /// The first decision counts, whichever it is.
    APPROVE = "
        UPDATE device_authorization
        SET approved_at = $2, account_id = $3, provider = $4, subject = $5, amr = $6, authenticated_at = $7
        WHERE id = $1 AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $2
          AND EXISTS (SELECT 1 FROM account a WHERE a.id = $3 AND a.disabled_at IS NULL)
          AND EXISTS (SELECT 1 FROM client c WHERE c.id = device_authorization.client_id AND c.disabled_at IS NULL)
        RETURNING client_id";
    APPROVED_LATER = "UPDATE device_authorization SET approved_at = $2 WHERE id = $1";
    DENY = "
        UPDATE device_authorization SET denied_at = $2
        WHERE id = $1 AND approved_at IS NULL AND denied_at IS NULL AND expires_at > $2";
    /// The one statement that a poll is: it notes the time, and slows down who came too soon (RFC 8628 §3.5: "the interval MUST be
    /// increased by 5 seconds for this and all subsequent requests") or else redeems what was approved.
    POLL = concat!("
        UPDATE device_authorization
        SET polled_at = $3,
            slowed_at = CASE WHEN ", too_soon!(), " THEN $3 ELSE slowed_at END,
            interval_seconds = CASE WHEN ", too_soon!(), " THEN interval_seconds + 5 ELSE interval_seconds END,
            redeemed_at = CASE WHEN approved_at IS NULL OR ", too_soon!(), " THEN NULL ELSE $3 END
        WHERE device_hash = $1 AND client_id = $2 AND redeemed_at IS NULL AND denied_at IS NULL AND expires_at > $3
        RETURNING redeemed_at IS NOT NULL AS redeemed, COALESCE(slowed_at, -1) = $3 AS slowed");
    GRANTED = concat!("
        SELECT d.client_id, d.account_id, d.scope, d.resource, d.provider, d.subject, d.amr, d.authenticated_at, d.approved_at,
               CASE WHEN d.provider = 'web3' THEN d.subject
                    ELSE (SELECT i.subject FROM identity i
                          WHERE i.account_id = d.account_id AND i.provider = 'web3'
                          ORDER BY i.created_at, i.subject LIMIT 1)
               END AS wallet,
               ", verified_email!("d.account_id", "d.provider", "d.subject"), " AS email,
               EXISTS (SELECT 1 FROM account a WHERE a.id = d.account_id
                       AND (a.disabled_at IS NOT NULL OR a.tokens_from >= d.approved_at)) AS account_disabled,
               EXISTS (SELECT 1 FROM client c WHERE c.id = d.client_id
                       AND (c.disabled_at IS NOT NULL OR c.tokens_from >= d.approved_at)) AS client_disabled,
               NOT EXISTS (SELECT 1 FROM consent n WHERE n.account_id = d.account_id AND n.client_id = d.client_id
                           AND n.created_at <= d.approved_at) AS consent_withdrawn
        FROM device_authorization d
        WHERE d.device_hash = $1");
    STATE = "
        SELECT client_id, expires_at, denied_at IS NOT NULL AS denied, redeemed_at IS NOT NULL AS redeemed
        FROM device_authorization
        WHERE device_hash = $1";
}

#[derive(FromRow)]
struct Polled {
    redeemed: bool,
    slowed: bool,
}

impl Store {
    /// Stores a device that waits. False: its client is gone or has been disabled meanwhile.
    ///
    /// # Errors
    /// [`super::Conflict::UserCode`]: another device has its user code; it takes another id.
    pub async fn put_device(&self, device: &NewDevice, device_code: &TokenHash, user_code: &TokenHash) -> Result<bool, StoreError> {
        let (device, device_code, user_code) = (device.clone(), *device_code, *user_code);
        let interval = i64::try_from(device.interval.as_secs()).unwrap_or(i64::MAX / 2_000_000);
        Ok(write_one!(
            self,
            execute(
                PUT,
                device.id,
                device_code,
                user_code,
                device.client_id,
                device.scope,
                device.resource.map(Json),
                device.created_at,
                device.expires_at,
                interval
            )
        )? > 0)
    }

    /// The device that waits under that user code. `None`: it is unknown, expired, decided already, or its client is disabled; which of
    /// them is nobody's business.
    pub async fn waiting_device(&self, user_code: &TokenHash, now: Timestamp) -> Result<Option<DeviceId>, StoreError> {
        read!(self, value(WAITING, user_code, now))
    }

    /// A device, decided or not; `None` when it was swept.
    pub async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        read!(self, row(DEVICE, id))
    }

    /// Lets a device in, in the name of a session's person, and remembers that as their consent to `consent`. False, and nothing changed:
    /// it was decided already or has expired, the session has ended, or the account or the client is disabled.
    pub async fn approve_device(&self, id: DeviceId, session: &Session, consent: &Scope, now: Timestamp) -> Result<bool, StoreError> {
        let (session, consent) = (session.clone(), consent.clone());
        self.transaction(move |mut conn| {
            Box::pin(async move {
                // One that ends meanwhile, with the identity that it was begun by, lets nothing in.
                if !endings::hold(&mut conn, session.id).await? {
                    return Ok(false);
                }
                let Session { account_id, provider, subject, amr, authenticated_at, .. } = session;
                let client: Option<ClientId> =
                    on!(conn, value(APPROVE, id, now, account_id, provider, subject, Json(amr), authenticated_at))?;
                let Some(client) = client else { return Ok(false) };
                let agreed = consents::save(&mut conn, account_id, &client, &consent, now).await?;
                // Tokens live under a consent that was given before them; the replica that took it may have a clock ahead of this one's.
                if agreed.created_at > now {
                    on!(conn, execute(APPROVED_LATER, id, agreed.created_at))?;
                }
                Ok(true)
            })
        })
        .await
    }

    /// Sends a device away. False: it was decided already or has expired.
    pub async fn deny_device(&self, id: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(write_one!(self, execute(DENY, id, now))? > 0)
    }

    /// One poll. What was let in is spent by it, and what `issue` makes of it is stored in the same transaction: of many who poll at once,
    /// one gets it. What `issue` refuses stays spent and gives nothing. If the reply is lost, so are the tokens, and the device begins again.
    pub async fn poll_device<F>(
        &self,
        device_code: &TokenHash,
        client: &ClientId,
        now: Timestamp,
        issue: F,
    ) -> Result<DevicePoll, StoreError>
    where
        F: FnOnce(&GrantedDevice) -> Option<IssuedToDevice> + Send + 'static,
    {
        let (device_code, client) = (*device_code, client.clone());
        self.transaction(move |mut conn| {
            Box::pin(async move {
                match on!(conn, row(POLL, device_code, client, now))? {
                    None => return Ok(DevicePoll::Nothing),
                    Some(Polled { slowed: true, .. }) => return Ok(DevicePoll::TooSoon),
                    Some(Polled { redeemed: false, .. }) => return Ok(DevicePoll::Pending),
                    Some(Polled { redeemed: true, .. }) => {}
                }
                let granted: Option<GrantedDevice> = on!(conn, row(GRANTED, device_code))?;
                let granted = granted.ok_or_else(|| StoreError::Corrupt("a device that was just redeemed is not there".to_owned()))?;
                if let Some(IssuedToDevice { record, record_hash, family }) = issue(&granted) {
                    let code = record.id;
                    codes::insert_redeemed(&mut conn, record, record_hash, now).await?;
                    if let Some(family) = family {
                        families::begin(&mut conn, family, code).await?;
                    }
                }
                Ok(DevicePoll::Granted(Box::new(granted)))
            })
        })
        .await
    }

    /// What is known of a device whose poll changed nothing.
    pub async fn device_state(&self, device_code: &TokenHash) -> Result<Option<DeviceState>, StoreError> {
        read!(self, row(STATE, device_code))
    }
}
